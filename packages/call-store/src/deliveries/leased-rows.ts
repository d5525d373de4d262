import type { DeliveryRow, Hold } from './row.ts';

/** What of a row in work settling needs, and a time of the database at which it was so. */
export type Held = {
  readonly row: Pick<DeliveryRow, 'id' | 'lane' | 'trigger' | 'attempts' | 'ownFailures'>;
  readonly now: Date;
};

/** What this process knows of the rows that it has leased, so that settling one soon after needs no look at it. */
export type LeasedRows = {
  /** `now`: the database's clock at `at` (of `performance.now()`) or a little later, so that a retry is never due early. */
  remember(hold: Hold, row: Held['row'], now: Date, at: number): void;
  /** The row with the database's time by now; null when it was leased elsewhere or too long ago. */
  recall(hold: Hold): Held | null;
  forget(hold: Hold): void;
};

/** As long as the clock of the process may go on from one of the database; what takes longer reads it again. */
const REMEMBER_MS = 5_000;

export function createLeasedRows(): LeasedRows {
  const rows = new WeakMap<Hold, Held & { readonly at: number }>();
  return {
    remember: (hold, { id, lane, trigger, attempts, ownFailures }, now, at) =>
      void rows.set(hold, { row: { id, lane, trigger, attempts, ownFailures }, now, at }),
    recall: (hold) => {
      const known = rows.get(hold);
      const passedMs = performance.now() - (known?.at ?? 0);
      if (known === undefined || passedMs > REMEMBER_MS) return null;
      return { row: known.row, now: new Date(known.now.getTime() + passedMs) };
    },
    forget: (hold) => void rows.delete(hold),
  };
}
