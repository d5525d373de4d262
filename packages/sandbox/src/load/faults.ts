/** What goes wrong in a load on purpose: the share of calls, 0 to 1, that each fault meets. */
export type FaultShares = {
  /** The media stream's socket is cut without a word. */
  readonly drop: number;
  /** The network of the media stream stands still for {@link STALL_MS}, both ways; then everything comes at once. */
  readonly stall: number;
  /** The status callback overtakes `stop`. */
  readonly reorder: number;
  /** The status callback comes twice. */
  readonly duplicate: number;
  /** The status callback never comes. */
  readonly missing: number;
};

/** What goes wrong in one call. */
export type LoadFaults = {
  readonly network: 'none' | 'drop' | 'stall';
  readonly callback: 'once' | 'early' | 'twice' | 'missing';
};

/** Longer than any buffer of a healthy network, shorter than the gateway's patience. */
export const STALL_MS = 2_000;

/** A load in which nothing goes wrong. */
export const NO_FAULTS: FaultShares = { drop: 0, stall: 0, reorder: 0, duplicate: 0, missing: 0 };

/**
 * The faults of the n-th of `calls` calls: exactly the asked share of them, the same ones in every run. Network and callback are
 * drawn apart, so that each meets the other; shares of one kind must not be above 1 together.
 */
export function faultsOf(n: number, calls: number, shares: FaultShares): LoadFaults {
  const network = pick(n, calls, [
    ['drop', shares.drop],
    ['stall', shares.stall],
  ]);
  // A stride that is prime to the number of calls visits each of them once.
  const callback = pick((n * strideOf(calls)) % calls, calls, [
    ['early', shares.reorder],
    ['twice', shares.duplicate],
    ['missing', shares.missing],
  ]);
  return { network: network ?? 'none', callback: callback ?? 'once' };
}

function pick<T extends string>(n: number, calls: number, shares: readonly (readonly [T, number])[]): T | null {
  let end = 0;
  for (const [fault, share] of shares) {
    const begin = end;
    end += Math.round(share * calls);
    if (n >= begin && n < end) return fault;
  }
  return null;
}

function strideOf(calls: number): number {
  let stride = Math.max(1, Math.round(calls * 0.618));
  while (gcd(stride, calls) !== 1) stride += 1;
  return stride;
}

function gcd(one: number, other: number): number {
  return other === 0 ? one : gcd(other, one % other);
}
