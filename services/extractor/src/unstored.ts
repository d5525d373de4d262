import type { Extraction } from './extract-fields.ts';

type Unstored = {
  /** The extraction that is kept under this key; else makes it and keeps it. */
  remember(key: string, extract: () => Promise<Extraction>): Promise<Extraction>;
  forget(key: string): void;
};

type Kept = { readonly extraction: Extraction; readonly ending: NodeJS.Timeout };

/**
 * Extractions that were paid for and are not stored yet: while the database refuses writes every redelivery would pay again.
 * In memory, at most `limit`; beyond it the one that was not asked for the longest is given up. One that nobody asks for in
 * `lifetimeMs` milliseconds is given up too: its call may have been erased, of which this is not told.
 */
export function createUnstored(limit: number, lifetimeMs: number): Unstored {
  const kept = new Map<string, Kept>();
  const forget = (key: string): void => {
    clearTimeout(kept.get(key)?.ending);
    kept.delete(key);
  };
  return {
    remember: async (key, extract) => {
      const extraction = kept.get(key)?.extraction ?? (await extract());
      forget(key);
      kept.set(key, { extraction, ending: setTimeout(() => forget(key), lifetimeMs).unref() });
      for (const oldest of kept.keys()) {
        if (kept.size <= limit) break;
        forget(oldest);
      }
      return extraction;
    },
    forget,
  };
}
