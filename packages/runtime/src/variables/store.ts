import { z } from 'zod';
import { secretVariable } from '../config.ts';

/** The connection to MongoDB. */
export const storeVariables = {
  /** `mongodb://` or `mongodb+srv://`, with options such as `replicaSet` or `directConnection`, without user. */
  MONGO_URL: z.string().regex(/^mongodb(\+srv)?:\/\/[^\s@]+$/, 'must be a mongodb:// URL without user'),
  /** User of this service; it authenticates against `admin`. */
  MONGO_USER: z.string().min(1).max(64),
  /** Password of that user. */
  MONGO_PASSWORD: secretVariable(),
  /** Prefix of the three database names `calls`, `settings`, `delivery`. Default none. */
  MONGO_DB_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{0,32}$/)
    .default(''),
} as const;
