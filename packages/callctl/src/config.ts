import { z } from 'zod';
import { DEV_ORIGINS_RULE, egressVariables } from '@pipeline/egress';
import {
  brokerVariables,
  priceVariables,
  serviceVariables,
  settingsKeysVariables,
  storeVariables,
} from '@pipeline/runtime';

/** The environment of verbs that use the database: `MONGO_URL`, `MONGO_USER`, `MONGO_PASSWORD`, `MONGO_DB_PREFIX`. */
export const storeSchema = z.object(storeVariables);

/** The environment of verbs that use the broker: `NATS_URL`, `NATS_USER`, `NATS_PASSWORD` and the shape of the streams. */
export const brokerSchema = z.object(brokerVariables);

/** The environment of a verb that uses both, so that all problems are told at once. */
export const bothSchema = z.object({ ...brokerVariables, ...storeVariables });

/** The environment of verbs that store secrets: the database and `SETTINGS_KEYS`. */
export const sealingSchema = z.object({ ...storeVariables, ...settingsKeysVariables });

/** The environment of `reanalyze`: both, and what an operator knows of prices. */
export const analysisSchema = z.object({ ...brokerVariables, ...storeVariables, ...priceVariables });

/** Where webhooks may go: the same variables as webhook-dispatcher's, so that a URL which is saved is one that is sent to. */
export const egressSchema = z
  .object({ NODE_ENV: serviceVariables.NODE_ENV, ...egressVariables })
  .refine(DEV_ORIGINS_RULE.holds, DEV_ORIGINS_RULE.problem);
