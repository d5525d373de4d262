/** How full a stream is, in bytes; `maxBytes` below 1 is without limit. */
export type StreamFill = { readonly bytes: number; readonly maxBytes: number };

/**
 * Up to where a stream may lose messages: `trim` all with a lower sequence than `before`; `unsettled`: somebody has still to settle the
 * very first; `young`: everything that is settled is younger than what is kept.
 */
export type TrimPlan =
  | { readonly kind: 'trim'; readonly before: number }
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'young' };

/**
 * Decides where to cut a stream. `ackFloors` are the sequences up to which each of its consumers has settled everything; `isOld` tells
 * whether the first message from a sequence on is old; where none follows it is false, or the answers would rise again behind the young. Times rise with sequences, so the border between old and young is found
 * by halving: some twenty looks into a stream of a million messages. Sequences may have gaps, where calls were erased.
 */
export async function trimBefore(
  { firstSeq, ackFloors }: { readonly firstSeq: number; readonly ackFloors: readonly number[] },
  isOld: (seq: number) => Promise<boolean>,
): Promise<TrimPlan> {
  const floor = ackFloors.length === 0 ? 0 : Math.min(...ackFloors);
  if (floor < firstSeq) return { kind: 'unsettled' };
  // Invariant: every message below `low` is old, and from `high` on none may go.
  let [low, high] = [firstSeq, floor + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isOld(middle)) low = middle + 1;
    else high = middle;
  }
  return low === firstSeq ? { kind: 'young' } : { kind: 'trim', before: low };
}
