import type { Extraction } from './extract-fields.ts';

type Unstored = {
  /** The extraction that is kept under this key; else makes it and keeps it. */
  remember(key: string, extract: () => Promise<Extraction>): Promise<Extraction>;
  forget(key: string): void;
};

/**
 * Extractions that were paid for and are not stored yet: while the database refuses writes every redelivery would pay again.
 * In memory, at most `limit`; beyond it the one that was not asked for the longest is given up.
 */
export function createUnstored(limit: number): Unstored {
  const kept = new Map<string, Extraction>();
  return {
    remember: async (key, extract) => {
      const extraction = kept.get(key) ?? (await extract());
      kept.delete(key);
      kept.set(key, extraction);
      for (const oldest of kept.keys()) {
        if (kept.size <= limit) break;
        kept.delete(oldest);
      }
      return extraction;
    },
    forget: (key) => void kept.delete(key),
  };
}
