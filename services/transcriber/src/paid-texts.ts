import type { SpeechText } from './speech-to-text.ts';

/** Texts that were paid for, so that a call that comes again after a failure pays only for what is missing. */
export type PaidTexts = {
  /** The text under this key of this call; else asks for it and keeps it. */
  remember(call: string, key: string, ask: () => Promise<SpeechText>): Promise<SpeechText>;
};

/** In memory, of the last calls only: at most `maxCalls`, and no new texts of a call beyond `maxChars`. */
export function createPaidTexts(maxCalls: number, maxChars: number): PaidTexts {
  const calls = new Map<string, { readonly texts: Map<string, SpeechText>; chars: number }>();
  return {
    remember: async (call, key, ask) => {
      const kept = calls.get(call) ?? { texts: new Map<string, SpeechText>(), chars: 0 };
      calls.delete(call);
      calls.set(call, kept); // The call that was not asked for the longest comes first.
      for (const oldest of calls.keys()) {
        if (calls.size <= maxCalls) break;
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
