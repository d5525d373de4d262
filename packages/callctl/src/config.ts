import { z } from 'zod';
import { DEV_ORIGINS_RULE, egressVariables } from '@pipeline/egress';
import {
  brokerVariables,
  priceVariables,
  secretVariable,
  serviceVariables,
  settingsKeysVariables,
  storeVariables,
  urlVariable,
} from '@pipeline/runtime';

/** The environment of verbs that use the database: `MONGO_URL`, `MONGO_USER`, `MONGO_PASSWORD`, `MONGO_DB_PREFIX`. */
export const storeSchema = z.object(storeVariables);

/** The environment of verbs that use the broker: `NATS_URL`, `NATS_USER`, `NATS_PASSWORD` and the shape of the streams. */
export const brokerSchema = z.object(brokerVariables);

/** The environment of a verb that uses both, so that all problems are told at once. */
export const bothSchema = z.object({ ...brokerVariables, ...storeVariables });

/** The environment of `erase`: both, and the account whose recordings are deleted. Without an account none is, and it ends with 1. */
export const erasingSchema = z
  .object({
    ...brokerVariables,
    ...storeVariables,
    TWILIO_BASE_URL: urlVariable().default('https://api.twilio.com'),
    TWILIO_ACCOUNT_SID: z
      .string()
      .regex(/^AC[0-9a-f]{32}$/, 'must be AC and 32 hexadecimal digits')
      .optional(),
    TWILIO_API_KEY_SID: z
      .string()
      .regex(/^SK[0-9a-f]{32}$/, 'must be SK and 32 hexadecimal digits')
      .optional(),
    TWILIO_API_KEY_SECRET: secretVariable().optional(),
  })
  .refine(
    ({ TWILIO_ACCOUNT_SID: account, TWILIO_API_KEY_SID: key, TWILIO_API_KEY_SECRET: secret }) =>
      account === undefined || (key !== undefined && secret !== undefined),
    { path: ['TWILIO_API_KEY_SECRET'], message: 'goes with TWILIO_ACCOUNT_SID, and so does TWILIO_API_KEY_SID' },
  );

/** The environment of verbs that store secrets: the database and `SETTINGS_KEYS`. */
export const sealingSchema = z.object({ ...storeVariables, ...settingsKeysVariables });

/** The environment of `reanalyze`: both, and what an operator knows of prices. */
export const analysisSchema = z.object({ ...brokerVariables, ...storeVariables, ...priceVariables });

/** Where webhooks may go: the same variables as webhook-dispatcher's, so that a URL which is saved is one that is sent to. */
export const egressSchema = z
  .object({ NODE_ENV: serviceVariables.NODE_ENV, ...egressVariables })
  .refine(DEV_ORIGINS_RULE.holds, DEV_ORIGINS_RULE.problem);
