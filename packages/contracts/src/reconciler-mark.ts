import { z } from 'zod';

/** The one key of the reconciler's bucket. */
export const RECONCILER_MARK = 'watermark';

const instantSchema = z.iso.datetime();

/**
 * What the reconciler keeps between two runs: `endedAt` is the watermark, the oldest end of a call that has neither CallLog nor tombstone, and `sweep` how far
 * a list has been worked that is too long for one run. Operators read it, and set the watermark back.
 */
export const reconcilerMarkSchema = z.object({
  endedAt: instantSchema,
  sweep: z
    .object({ since: instantSchema, begun: instantSchema, oldestOpen: instantSchema.nullable(), next: z.string() })
    .optional(),
});
export type ReconcilerMark = z.infer<typeof reconcilerMarkSchema>;

/** Milliseconds that are ever looked back. The shell of an expired call is removed 45 days after its end; beyond that such calls would come back. */
export const LONGEST_LOOKBACK_MS = 30 * 86_400_000;
