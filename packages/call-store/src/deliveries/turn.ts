import { Schema, trusted, type Model } from 'mongoose';
import { inTime, isDuplicateKey } from '../connection/in-time.ts';
import { databaseNow } from './clock.ts';

export const TURNS = 'webhook_turns';

/** Work that one process at a time does, and until when it is somebody's turn. */
export type TurnDocument = { readonly _id: string; readonly until: Date };

export const turnSchema = new Schema<TurnDocument>(
  { _id: { type: String, required: true }, until: Date },
  { collection: TURNS, versionKey: false, autoCreate: false, autoIndex: false },
);

/** True when the turn of before is over and this process has the next one, which ends by itself: so it is also the pause between two. */
export async function takeTurn(
  model: Model<TurnDocument>,
  work: string,
  forMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await databaseNow(model, signal);
  const filter = { _id: work, until: trusted({ $lte: now }) };
  const update = { $set: { until: new Date(now.getTime() + forMs) } };
  try {
    // While it is somebody's turn the filter finds nothing, and the document that this would make is there.
    const take = () => model.updateOne(filter, update, { upsert: true }).exec();
    const { matchedCount, upsertedCount } = await inTime('take a turn', signal, take);
    return matchedCount + upsertedCount > 0;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
