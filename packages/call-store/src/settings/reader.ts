import { trusted } from 'mongoose';
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
  /** Every number that a business has given up within 45 days, and when: a call that had begun by then is still that business's. */
  formerNumbers(signal: AbortSignal): Promise<FormerNumber[]>;
  /** How long each business keeps its calls, in the order of their ids. One whose settings do not say it in days is left out. */
  retentions(signal: AbortSignal): Promise<Retention[]>;
};

/** A number in E.164 that a business had until a time of the database's clock, in milliseconds since 1970. */
export type FormerNumber = { readonly number: string; readonly businessId: string; readonly until: number };

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
    formerNumbers: async (signal) => {
      const some = { 'former_numbers.until': trusted({ $exists: true }) };
      const query = () => model.find(some, { former_numbers: 1 }).lean().exec();
      const found: readonly object[] = await inTime('read numbers that were given up', signal, query);
      return found.flatMap((document) => {
        const { _id: businessId, former_numbers: numbers } = formerNumbersSchema.parse(document);
        return numbers.map(({ number, until }) => ({ number, businessId, until: until.getTime() }));
      });
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

/** Written by our own writer alone, so what does not fit is a fault that nobody should pass over. */
const formerNumbersSchema = z.object({
  _id: businessIdSchema,
  former_numbers: z.array(z.object({ number: phoneSchema, until: z.date() })),
});

const retentionSchema = z.object({
  _id: businessIdSchema,
  retention_days: businessSettingsSchema.shape.retention_days,
});
