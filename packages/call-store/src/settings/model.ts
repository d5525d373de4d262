import { Schema } from 'mongoose';
import type { BusinessSettings } from '@pipeline/contracts';
import type { CollectionPlan } from '../connection/collections.ts';

export const SETTINGS_COLLECTION = 'business_settings';

/** The settings of one business as a document: `_id` is the business's id, the rest is as contracts define it, secrets sealed. */
export type SettingsDocument = Omit<BusinessSettings, 'id'> & {
  readonly _id: string;
  /** Written by each save, and by nobody else; not a setting. */
  readonly former_numbers?: readonly { readonly number: string; readonly until: Date }[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** Days for which a number that was given up is remembered: longer than anybody looks back for calls. */
export const FORMER_NUMBER_DAYS = 45;

/** Only what is queried is typed here; contracts' schema checks the whole on its way in and out. */
export const settingsSchema = new Schema<SettingsDocument>(
  {
    _id: { type: String, required: true },
    phone_numbers: [String],
    former_numbers: [{ _id: false, number: String, until: Date }],
    createdAt: Date,
    updatedAt: Date,
  },
  { collection: SETTINGS_COLLECTION, versionKey: false, strict: false, autoCreate: false, autoIndex: false },
);

/**
 * One business for one number, held by the database. The filter keeps businesses without numbers out of the unique index: an
 * empty list would collide with the next empty list.
 */
export const SETTINGS_PLAN: readonly CollectionPlan[] = [
  {
    database: 'settings',
    name: SETTINGS_COLLECTION,
    indexes: [
      {
        name: 'phone_numbers',
        key: { phone_numbers: 1 },
        unique: true,
        partialFilterExpression: { phone_numbers: { $gt: '' } },
      },
    ],
  },
];
