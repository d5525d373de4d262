import type { SpeechText } from './speech-to-text.ts';

/** Texts that were paid for, so that a call that comes again after a failure pays only for what is missing. */
export type PaidTexts = {
  /** The text under this key of this call; else asks for it and keeps it. */
  remember(call: string, key: string, ask: () => Promise<SpeechText>): Promise<SpeechText>;
};

export type PaidTextLimits = {
  /** Calls that are remembered: the last ones. */
  readonly maxCalls: number;
  /** Characters of one call beyond which no new text of it is kept. */
  readonly maxChars: number;
  /** Milliseconds without a question after which a call is forgotten. A call that was erased meanwhile is not told here. */
  readonly lifetimeMs: number;
};

type Kept = { readonly texts: Map<string, SpeechText>; chars: number; readonly ending: NodeJS.Timeout };

/** In memory, of the last calls only, and not for long: these are words of callers. */
export function createPaidTexts({ maxCalls, maxChars, lifetimeMs }: PaidTextLimits): PaidTexts {
  const calls = new Map<string, Kept>();
  const keep = (call: string): Kept => {
    const ending = setTimeout(() => void calls.delete(call), lifetimeMs).unref();
    return { texts: new Map(), chars: 0, ending };
  };
  return {
    remember: async (call, key, ask) => {
      const kept = calls.get(call) ?? keep(call);
      kept.ending.refresh();
      calls.delete(call);
      calls.set(call, kept); // The call that was not asked for the longest comes first.
      for (const [oldest, { ending }] of calls) {
        if (calls.size <= maxCalls) break;
        clearTimeout(ending);
        calls.delete(oldest);
      }
      const known = kept.texts.get(key);
      if (known !== undefined) return known;
      const text = await ask();
      if (kept.chars + text.text.length <= maxChars) {
        kept.texts.set(key, text);
        kept.chars += text.text.length;
      }
      return text;
    },
  };
}
