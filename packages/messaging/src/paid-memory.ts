export type PaidMemoryLimits = {
  /** Bytes of all that is kept. Beyond it what was not asked for the longest is given up. */
  readonly maxBytes: number;
  /** Milliseconds without a question after which it is given up: the call may have been erased, of which nobody tells this. */
  readonly lifetimeMs: number;
};

/** What was paid, as bytes by key, in this process alone. */
export type PaidMemory = {
  recall(key: string): Buffer | undefined;
  /** Keeps this in the place of what was kept before. */
  keep(key: string, body: Buffer): void;
  forget(key: string): void;
};

type Kept = { readonly body: Buffer; readonly ending: NodeJS.Timeout };

/** What an entry costs beside its body: timer, key, place in the map. */
const ENTRY_BYTES = 1_024;

/** Bounded in bytes and in time: these are words of callers. */
export function createPaidMemory({ maxBytes, lifetimeMs }: PaidMemoryLimits): PaidMemory {
  const entries = new Map<string, Kept>();
  let bytes = 0;
  const forget = (key: string): void => {
    const kept = entries.get(key);
    if (kept === undefined) return;
    clearTimeout(kept.ending);
    entries.delete(key);
    bytes -= sizeOf(kept.body);
  };
  const keep = (key: string, body: Buffer): void => {
    forget(key);
    if (sizeOf(body) > maxBytes) return;
    entries.set(key, { body, ending: setTimeout(() => forget(key), lifetimeMs).unref() });
    bytes += sizeOf(body);
    for (const oldest of entries.keys()) {
      if (bytes <= maxBytes) break;
      forget(oldest);
    }
  };
  return {
    recall: (key) => {
      const body = entries.get(key)?.body;
      if (body !== undefined) keep(key, body);
      return body;
    },
    keep,
    forget,
  };
}

function sizeOf(body: Buffer): number {
  return body.length + ENTRY_BYTES;
}
