import { trusted, type Model } from 'mongoose';
import { z } from 'zod';
import { businessIdSchema, callSidSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { checked } from '../connection/scalars.ts';
import type { StoredDocument } from './model.ts';

/** A tombstone, and when it was put there. */
export type Tombstone = { readonly callSid: string; readonly erasedAt: Date };

/** A CallLog by the end of its call. */
export type EndedMark = { readonly callSid: string; readonly endedAt: Date };

const limitSchema = z.int().min(1).max(1_000);

/** The tombstones since a time, earliest first, behind the one that the page before ended with; at most `limit`, up to 1,000. */
export async function pageOfErased(
  model: Model<StoredDocument>,
  { since, after, limit }: { readonly since: Date; readonly after?: Tombstone; readonly limit: number },
  signal: AbortSignal,
): Promise<Tombstone[]> {
  const size = checked(limitSchema, limit, 'limit');
  const from = after?.erasedAt ?? since;
  const later =
    after === undefined
      ? {}
      : {
          $or: [
            { erasedAt: trusted({ $gt: from }) },
            { erasedAt: from, _id: trusted({ $gt: checked(callSidSchema, after.callSid, 'callSid') }) },
          ],
        };
  const query = () =>
    model
      .find({ erased: true, erasedAt: trusted({ $gte: from }), ...later }, { erasedAt: 1 })
      .sort({ erasedAt: 1, _id: 1 })
      .limit(size)
      .lean()
      .exec();
  const found: readonly object[] = await inTime('list tombstones', signal, query);
  return found.flatMap((document) => {
    const { _id: callSid, erasedAt } = document as { readonly _id: string; readonly erasedAt?: unknown }; // as the filter says
    return erasedAt instanceof Date ? [{ callSid, erasedAt }] : [];
  });
}

/** Which CallLogs of a business, by the end of their calls. */
export type EndedRange = {
  readonly businessId: string;
  /** Ended before this. */
  readonly before: Date;
  /** Where the page before ended: its last instant, and the calls of that instant that were told already. */
  readonly after?: { readonly endedAt: Date; readonly told: readonly string[] };
  /** At most so many, up to 1,000. */
  readonly limit: number;
};

/**
 * One page of {@link EndedRange}, the oldest first. Neither tombstones nor expired calls are among them, nor looked at. The order is that of the index
 * alone, which knows no order within an instant: so the calls of the last one are left out by name.
 */
export async function pageOfEnded(
  model: Model<StoredDocument>,
  { businessId, before, after, limit }: EndedRange,
  signal: AbortSignal,
): Promise<EndedMark[]> {
  const size = checked(limitSchema, limit, 'limit');
  const told = (after?.told ?? []).map((callSid) => checked(callSidSchema, callSid, 'callSid'));
  const filter = {
    businessId: checked(businessIdSchema, businessId, 'businessId'),
    endedAt: trusted({ $lt: before, ...(after === undefined ? {} : { $gte: after.endedAt }) }),
    // As the index says it, or it is not used.
    stored_at: trusted({ $exists: true }),
    ...(told.length === 0 ? {} : { _id: trusted({ $nin: told }) }),
  };
  const query = () => model.find(filter, { endedAt: 1 }).sort({ endedAt: 1 }).limit(size).lean().exec();
  const found: readonly object[] = await inTime('list CallLogs by the end of their calls', signal, query);
  return found.flatMap((document) => {
    const { _id: callSid, endedAt } = document as { readonly _id: string; readonly endedAt?: unknown }; // as the filter says
    return endedAt instanceof Date ? [{ callSid, endedAt }] : [];
  });
}
