import { z } from 'zod';
import { brokerVariables, priceVariables, settingsKeysVariables, storeVariables } from '@pipeline/runtime';

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
