/** One item of a session's conversation, as its events carry it. */
export type Item = {
  readonly id: string;
  readonly object: 'realtime.item';
  readonly type: 'message' | 'function_call' | 'function_call_output';
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly role?: 'user' | 'assistant' | 'system';
  readonly content?: readonly Content[];
  readonly name?: string;
  readonly call_id?: string;
  readonly arguments?: string;
  readonly output?: string;
};
export type Content = {
  readonly type: string;
  readonly text?: string | undefined;
  readonly transcript?: string | null | undefined;
};

/** A spoken call of hours has some thousand; older ones leave. */
const MAX_ITEMS = 10_000;

export type Items = {
  /** Puts an item at the end, or in the place of the one with its id; returns the id before it. */
  put(item: Item): string | null;
  get(id: string): Item | undefined;
  remove(id: string): boolean;
  /** Milliseconds of audio that were made for an assistant's item so far. */
  audioMs(id: string): number;
  addAudio(id: string, ms: number): void;
};

/** The conversation of one session, in order. */
export function createItems(): Items {
  const items = new Map<string, { item: Item; readonly previousId: string | null; audioMs: number }>();
  let lastId: string | null = null;
  return {
    put: (item) => {
      const known = items.get(item.id);
      if (known !== undefined) {
        known.item = item;
        return known.previousId;
      }
      const previousId = lastId;
      items.set(item.id, { item, previousId, audioMs: 0 });
      lastId = item.id;
      const [oldest] = items.keys();
      if (items.size > MAX_ITEMS && oldest !== undefined) items.delete(oldest);
      return previousId;
    },
    get: (id) => items.get(id)?.item,
    remove: (id) => {
      const isThere = items.delete(id);
      if (lastId === id) lastId = [...items.keys()].at(-1) ?? null;
      return isThere;
    },
    audioMs: (id) => items.get(id)?.audioMs ?? 0,
    addAudio: (id, ms) => {
      const entry = items.get(id);
      if (entry !== undefined) entry.audioMs += ms;
    },
  };
}
