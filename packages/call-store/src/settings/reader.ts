import { z } from 'zod';
import { businessIdSchema, businessSettingsSchema, phoneSchema, type BusinessSettings } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';
import type { Store } from '../connection/store.ts';
import { findSettings, openSettingsModel } from './find.ts';
import { settingsFrom } from './mapping.ts';

/** Reads the settings of businesses, fresh each time. Throws RetryLaterError while the database cannot answer. */
export type SettingsReader = {
  /** The settings of a business, or null when there is none. Throws a TypeError for what is no business id. */
  byId(businessId: string, signal: AbortSignal): Promise<BusinessSettings | null>;
  /** The business that a number belongs to, or null. What is no number in E.164 (`anonymous`, a SIP address) belongs to nobody. */
  byPhone(e164: string, signal: AbortSignal): Promise<BusinessSettings | null>;
  /** How long each business keeps its calls, in the order of their ids. One whose settings do not say it in days is left out. */
  retentions(signal: AbortSignal): Promise<Retention[]>;
};

/** How long a business keeps its calls, in days from their end. */
export type Retention = { readonly businessId: string; readonly days: number };

/** A reader on a store. The store is unready until the collection and its index are there. */
export function createSettingsReader(store: Store): SettingsReader {
  const model = openSettingsModel(store);
  return {
    byId: async (businessId, signal) => {
      const found = await findSettings(model, businessId, signal);
      return found === null ? null : settingsFrom(found);
    },
    byPhone: async (e164, signal) => {
      const phone = phoneSchema.safeParse(e164);
      if (!phone.success) return null;
      const query = () => model.findOne({ phone_numbers: phone.data }).lean().exec();
      const found = await inTime('read settings by phone', signal, query);
      return found === null ? null : settingsFrom(found);
    },
    retentions: async (signal) => {
      const query = () => model.find({}, { retention_days: 1 }).sort({ _id: 1 }).lean().exec();
      const found: readonly object[] = await inTime('read how long calls are kept', signal, query);
      return found.flatMap((document) => {
        const parsed = retentionSchema.safeParse(document);
        return parsed.success ? [{ businessId: parsed.data._id, days: parsed.data.retention_days }] : [];
      });
    },
  };
}

const retentionSchema = z.object({
  _id: businessIdSchema,
  retention_days: businessSettingsSchema.shape.retention_days,
});
