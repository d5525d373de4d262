import type { Model } from 'mongoose';
import { businessIdSchema } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import { modelOf } from '../connection/model.ts';
import { checked } from '../connection/scalars.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { SETTINGS_COLLECTION, SETTINGS_PLAN, settingsSchema, type SettingsDocument } from './model.ts';

/** The settings of businesses on a store, which is unready until their collection and its index are there. */
export function openSettingsModel(store: Store): Model<SettingsDocument> {
  const { connection, expect } = internalsOf(store);
  expect(SETTINGS_PLAN);
  return modelOf(connection('settings'), settingsSchema, SETTINGS_COLLECTION);
}

/** What is stored of a business, or null. Throws a TypeError for what is no business id. */
export async function findSettings(
  model: Model<SettingsDocument>,
  businessId: string,
  signal: AbortSignal,
): Promise<SettingsDocument | null> {
  const id = checked(businessIdSchema, businessId, 'businessId');
  return inTime('read settings by id', signal, () => model.findById(id).lean().exec());
}
