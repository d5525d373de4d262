/** Counted latencies of one kind: bounded, however many there are, and fit to be sent between processes. */
export type LatencyCounts = {
  /** `counts[n]`: latencies of at least n and less than n + 1 buckets of {@link BUCKET_US}; the last one holds all that were longer. */
  readonly counts: Uint32Array;
  readonly maxUs: number;
};

/** What a report says of latencies: milliseconds, `null` when there were none. Percentiles are rounded up to 0.05 ms. */
export type LatencySummary = {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

const BUCKET_US = 50;
/** 5 s: longer ones are told by the maximum alone. */
const BUCKETS = 100_000;

/** A recorder; `note` takes microseconds. */
export function createLatencies(): { note(us: number): void; read(): LatencyCounts } {
  const counts = new Uint32Array(BUCKETS);
  let maxUs = 0;
  return {
    note: (us) => {
      const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(us / BUCKET_US)));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      if (us > maxUs) maxUs = us;
    },
    read: () => ({ counts: counts.slice(), maxUs }),
  };
}

/** All of them together. */
export function mergeLatencies(parts: readonly LatencyCounts[]): LatencyCounts {
  const counts = new Uint32Array(BUCKETS);
  for (const part of parts)
    for (const [bucket, count] of part.counts.entries()) counts[bucket] = (counts[bucket] ?? 0) + count;
  return { counts, maxUs: Math.max(0, ...parts.map((part) => part.maxUs)) };
}

/** Median, 99th percentile and maximum. */
export function summarizeLatencies(latencies: LatencyCounts): LatencySummary {
  const count = latencies.counts.reduce((sum, one) => sum + one, 0);
  if (count === 0) return { count, p50Ms: null, p99Ms: null, maxMs: null };
  return {
    count,
    p50Ms: percentileMs(latencies, count, 0.5),
    p99Ms: percentileMs(latencies, count, 0.99),
    maxMs: Math.round(latencies.maxUs) / 1_000,
  };
}

/** The upper edge of the bucket in which the share is reached, never above the maximum: no latency is told too short. */
function percentileMs({ counts, maxUs }: LatencyCounts, count: number, share: number): number {
  const needed = Math.ceil(count * share);
  let seen = 0;
  const bucket = counts.findIndex((one) => {
    seen += one;
    return seen >= needed;
  });
  const edgeUs = bucket === BUCKETS - 1 ? maxUs : Math.min((bucket + 1) * BUCKET_US, maxUs);
  return Math.round(edgeUs) / 1_000;
}
