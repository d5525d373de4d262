import { LONGEST_LOOKBACK_MS } from '@pipeline/contracts';
import { z } from 'zod';
import {
  brokerVariables,
  integerVariable,
  secretVariable,
  serviceVariables,
  storeVariables,
  urlVariable,
} from '@pipeline/runtime';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** The environment of reconciler. */
export const configSchema = z
  .object({
    ...serviceVariables,
    ...brokerVariables,
    ...storeVariables,
    /** Milliseconds between the end of a run and the next one; 0 runs once and ends. Default 0: a schedule starts it. */
    RECONCILE_EVERY_MS: integerVariable({ min: 0, max: 3_600_000, default: 0 }),
    /** Milliseconds after which a run is given up. Default 4 min, below the schedule's 5. */
    RUN_TIMEOUT_MS: integerVariable({ min: 1_000, max: 3_600_000, default: 4 * MINUTE_MS }),
    /** Milliseconds after its end for which a call is left to media-gateway, and a CallLog to its own notice. Default 2 min. */
    SETTLE_MS: integerVariable({ min: 0, max: 3_600_000, default: 2 * MINUTE_MS }),
    /** Milliseconds before the watermark at which Twilio's list begins. Default 10 min. */
    OVERLAP_MS: integerVariable({ min: 0, max: DAY_MS, default: 10 * MINUTE_MS }),
    /** Milliseconds to look back without a watermark, and for CallLogs without a delivery. Default 4 days. */
    LOOKBACK_MS: integerVariable({ min: MINUTE_MS, max: LONGEST_LOOKBACK_MS, default: 4 * DAY_MS }),
    /** Milliseconds from the end of a call after which one without a CallLog is stuck: the deadlines of all stages together. Default 3 days and 1 h. */
    STUCK_AFTER_MS: integerVariable({ min: 1_000, max: LONGEST_LOOKBACK_MS, default: 3 * DAY_MS + 60 * MINUTE_MS }),
    /** Where calls are listed. Default Twilio's own. */
    TWILIO_BASE_URL: urlVariable().default('https://api.twilio.com'),
    /** The account that the calls belong to. */
    TWILIO_ACCOUNT_SID: z.string().regex(/^AC[0-9a-f]{32}$/, 'must be AC and 32 hexadecimal digits'),
    /** An API key of that account that may list calls. */
    TWILIO_API_KEY_SID: z.string().regex(/^SK[0-9a-f]{32}$/, 'must be SK and 32 hexadecimal digits'),
    /** The secret of that API key. */
    TWILIO_API_KEY_SECRET: secretVariable(),
    /** Calls on one page of Twilio's list. Default 1000, the most. */
    TWILIO_PAGE_SIZE: integerVariable({ min: 1, max: 1_000, default: 1_000 }),
    /** Milliseconds for one page. Default 30 s. */
    TWILIO_TIMEOUT_MS: integerVariable({ min: 100, max: 120_000, default: 30_000 }),
  })
  .refine((config) => config.STUCK_AFTER_MS > config.SETTLE_MS, {
    path: ['STUCK_AFTER_MS'],
    message: 'must be above SETTLE_MS',
  });
export type Config = z.output<typeof configSchema>;
