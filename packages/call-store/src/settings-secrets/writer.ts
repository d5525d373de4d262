import { trusted, type Model } from 'mongoose';
import { StoreError } from '../connection/errors.ts';
import { inTime, isDuplicateKey } from '../connection/in-time.ts';
import type { Store } from '../connection/store.ts';
import { openSettingsModel } from '../settings/find.ts';
import { FORMER_NUMBER_DAYS, type SettingsDocument } from '../settings/model.ts';
import { sealedSettingsSchema, sealSettings, type SealedSettings } from './sealed-settings.ts';
import type { SettingsKey } from './sealing.ts';

/** Stores settings. Only `callctl` has it, and a user of the database that may. */
export type SettingsWriter = {
  /**
   * Stores the settings of one business as a whole, in place of what was there; plain secrets are sealed on the way. With `seen`,
   * only if nobody has stored them since then. Throws StoreError `PHONE_TAKEN` when another business has one of the numbers,
   * `CHANGED_MEANWHILE` for `seen`, a ZodError when the settings are not valid, RetryLaterError while the database cannot.
   */
  save(settings: SealedSettings, signal: AbortSignal, seen?: Date): Promise<void>;
};

/** A writer on a store. The first key of the ring seals. Throws a TypeError when there is none. */
export function createSettingsWriter(store: Store, keys: readonly SettingsKey[]): SettingsWriter {
  const [key] = keys;
  if (key === undefined) throw new TypeError('no key to seal secrets with');
  const model = openSettingsModel(store);
  return {
    save: async (settings, signal, seen) => {
      const { id, ...rest } = sealSettings(sealedSettingsSchema.parse(settings), key);
      const update = (): Promise<number> => replace(model, id, rest, seen);
      try {
        if ((await inTime('save settings', signal, update)) === 0 && seen !== undefined) throw changedMeanwhile(id);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const owner = await ownerOf(model, id, rest.phone_numbers, signal);
        if (owner !== null) throw phoneTaken(owner, error);
        await inTime('save settings', signal, update); // Two saves of a new business met: the document is there now.
      }
    },
  };
}

/** One atomic replacement; resolves with how many documents it found. */
async function replace(
  model: Model<SettingsDocument>,
  id: string,
  rest: Omit<SealedSettings, 'id'>,
  seen: Date | undefined,
): Promise<number> {
  // `$literal`: instructions of an agent may hold words such as `$price`, which a pipeline would read as a field.
  const replacement = {
    $mergeObjects: [
      { $literal: rest },
      { _id: '$_id', createdAt: { $ifNull: ['$createdAt', '$$NOW'] }, updatedAt: '$$NOW' },
      { former_numbers: formerNumbers(rest.phone_numbers) },
    ],
  };
  const filter = seen === undefined ? { _id: id } : { _id: id, updatedAt: seen };
  const options = { upsert: seen === undefined, updatePipeline: true } as const;
  return (await model.updateOne(filter, [{ $replaceWith: replacement }], options).exec()).matchedCount;
}

/** The numbers that were given up lately, those of this save among them: a call that was under way then is still this business's. */
function formerNumbers(phones: readonly string[]): object {
  const oldest = { $dateSubtract: { startDate: '$$NOW', unit: 'day', amount: FORMER_NUMBER_DAYS } };
  const known = { $ifNull: ['$former_numbers', []] };
  const lately = { $filter: { input: known, cond: { $gt: ['$$this.until', oldest] } } };
  const givenUp = { $setDifference: [{ $ifNull: ['$phone_numbers', []] }, { $literal: phones }] };
  return { $concatArrays: [lately, { $map: { input: givenUp, in: { number: '$$this', until: '$$NOW' } } }] };
}

async function ownerOf(
  model: Model<SettingsDocument>,
  id: string,
  phones: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  const others = { _id: trusted({ $ne: id }), phone_numbers: trusted({ $in: [...phones] }) };
  const query = () => model.findOne(others, { _id: 1 }).lean().exec();
  const found = await inTime('find the owner of a number', signal, query);
  return found?._id ?? null;
}

function phoneTaken(owner: string, cause: unknown): StoreError {
  return new StoreError('PHONE_TAKEN', `one of the phone numbers belongs to business ${owner}`, cause);
}

function changedMeanwhile(id: string): StoreError {
  return new StoreError(
    'CHANGED_MEANWHILE',
    `somebody else stored the settings of business ${id} meanwhile, nothing was stored`,
  );
}
