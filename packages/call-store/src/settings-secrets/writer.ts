import { businessSettingsSchema, type BusinessSettings } from '@pipeline/contracts';
import { trusted, type Model } from 'mongoose';
import { StoreError } from '../connection/errors.ts';
import { inTime, isDuplicateKey } from '../connection/in-time.ts';
import { modelOf } from '../connection/model.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { SETTINGS_COLLECTION, SETTINGS_PLAN, settingsSchema, type SettingsDocument } from './model.ts';

/** Stores settings. Only `callctl` has it, and a user of the database that may. */
export type SettingsWriter = {
  /**
   * Stores the settings of one business as a whole, in place of what was there. Throws StoreError `PHONE_TAKEN` when another
   * business has one of the numbers, a ZodError when the settings are not valid, RetryLaterError while the database cannot.
   */
  save(settings: BusinessSettings, signal: AbortSignal): Promise<void>;
};

/** A writer on a store. */
export function createSettingsWriter(store: Store): SettingsWriter {
  const { connection, expect } = internalsOf(store);
  expect(SETTINGS_PLAN);
  const model = modelOf(connection('settings'), settingsSchema, SETTINGS_COLLECTION);
  return {
    save: async (settings, signal) => {
      const { id, ...rest } = businessSettingsSchema.parse(settings);
      // `$literal`: instructions of an agent may hold words such as `$price`, which a pipeline would read as a field.
      const replacement = {
        $mergeObjects: [
          { $literal: rest },
          { _id: '$_id', createdAt: { $ifNull: ['$createdAt', '$$NOW'] }, updatedAt: '$$NOW' },
        ],
      };
      const update = () =>
        model.updateOne({ _id: id }, [{ $replaceWith: replacement }], { upsert: true, updatePipeline: true }).exec();
      try {
        await inTime('save settings', signal, update);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const owner = await ownerOf(model, id, rest.phone_numbers, signal);
        if (owner !== null) throw phoneTaken(owner, error);
        await inTime('save settings', signal, update); // Two saves of a new business met: the document is there now.
      }
    },
  };
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
