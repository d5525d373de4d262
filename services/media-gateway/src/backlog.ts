/** Writes that could not be made when they should have been, by key. They are tried again, round by round, until they are made. */
export type Backlog<V> = {
  /** Puts one at the end, in place of an older one of the same key. */
  set(key: string, value: V): void;
  get(key: string): V | undefined;
  delete(key: string): void;
  /**
   * One round: tries them one after another, at most as many as a round has, until `signal` ends it. `one` deletes what is done. What
   * fails stays and keeps nothing behind it waiting: the next round begins after it. Never rejected.
   */
  work(one: (key: string, value: V) => Promise<void>, signal: AbortSignal): Promise<void>;
};

type BacklogOptions = {
  /** Told of the first failure of each. */
  readonly onFailure: (key: string, error: unknown) => void;
  /** Writes that wait; above it the oldest is given up. Default above the calls and unpublished events of a process. */
  readonly max?: number;
  /** Tries of one round. */
  readonly perRound?: number;
};

const MAX_WAITING = 10_000;
const PER_ROUND = 500;

export function createBacklog<V>(options: BacklogOptions): Backlog<V> {
  const { onFailure, max = MAX_WAITING, perRound = PER_ROUND } = options;
  /** The oldest first. */
  const waiting = new Map<string, { readonly value: V; hasFailed: boolean }>();
  /** So many of the oldest were tried by the rounds before, and stayed. */
  let tried = 0;

  return {
    set: (key, value) => {
      waiting.delete(key);
      waiting.set(key, { value, hasFailed: false });
      for (const oldest of waiting.keys()) {
        if (waiting.size <= max) return;
        waiting.delete(oldest);
      }
    },
    get: (key) => waiting.get(key)?.value,
    delete: (key) => void waiting.delete(key),
    work: async (one, signal) => {
      const from = tried < waiting.size ? tried : 0;
      let stayed = 0;
      for (const [key, entry] of [...waiting].slice(from, from + perRound)) {
        if (signal.aborted) break;
        if (waiting.get(key) !== entry) continue; // done or replaced meanwhile
        await one(key, entry.value).catch((error: unknown) => {
          if (!entry.hasFailed) onFailure(key, error);
          entry.hasFailed = true;
        });
        if (waiting.get(key) === entry) stayed += 1;
      }
      tried = from + stayed;
    },
  };
}
