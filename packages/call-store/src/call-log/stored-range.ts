import { trusted, type Model } from 'mongoose';
import { z } from 'zod';
import { businessIdSchema, callSidSchema, revisionSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { StoredDocument } from './model.ts';

/** From when to when, by `stored_at`, both included; and how many at most, up to 1,000. */
export type StoredRange = {
  readonly from: Date;
  readonly to: Date;
  readonly limit: number;
  /** Where the page before ended. */
  readonly after?: StoredCursor;
};

/** A place in the order of (`stored_at`, `_id`). */
export type StoredCursor = { readonly storedAt: Date; readonly callSid: string };

/** A CallLog that is there, without what it says. */
export type StoredMark = {
  readonly callSid: string;
  readonly businessId: string;
  readonly revision: number;
  readonly storedAt: Date;
};

/** `next` is null when nothing follows. */
export type StoredPage = { readonly marks: readonly StoredMark[]; readonly next: StoredCursor | null };

const limitSchema = z.int().min(1).max(1_000);

/** What is read of a document. One that lacks any of it is none of ours and is left out. */
const markSchema = z.object({
  _id: callSidSchema,
  businessId: businessIdSchema,
  revision: revisionSchema,
  stored_at: z.date(),
});

/** One page of {@link StoredRange}, out of the index `stored_at` alone, in its order; neither a tombstone nor the shell of an expired call has that field. */
export async function pageOfStored(
  model: Model<StoredDocument>,
  { from, to, limit, after }: StoredRange,
  signal: AbortSignal,
): Promise<StoredPage> {
  const size = checked(limitSchema, limit, 'limit');
  const start = after?.storedAt ?? from;
  const later =
    after === undefined
      ? {}
      : {
          $or: [
            { stored_at: trusted({ $gt: start }) },
            { stored_at: start, _id: trusted({ $gt: checked(callSidSchema, after.callSid, 'callSid') }) },
          ],
        };
  const filter = { stored_at: trusted({ $gte: start, $lte: to }), ...later };
  const query = () =>
    model
      .find(filter, { businessId: 1, revision: 1, stored_at: 1 })
      .sort({ stored_at: 1, _id: 1 })
      .limit(size)
      .lean()
      .exec();
  const found: readonly object[] = await inTime('list CallLogs by the time they were stored', signal, query);
  const marks = found.flatMap((document): StoredMark[] => {
    const parsed = markSchema.safeParse(document);
    if (!parsed.success) return [];
    const { _id: callSid, businessId, revision, stored_at: storedAt } = parsed.data;
    return [{ callSid, businessId, revision, storedAt }];
  });
  const last = marks.at(-1);
  const next = found.length < size || last === undefined ? null : { storedAt: last.storedAt, callSid: last.callSid };
  return { marks, next };
}
