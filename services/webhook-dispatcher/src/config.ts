import { DEV_ORIGINS_RULE, egressVariables } from '@pipeline/egress';
import {
  brokerVariables,
  integerVariable,
  listVariable,
  serviceVariables,
  settingsKeysVariables,
  stageVariables,
  storeVariables,
} from '@pipeline/runtime';
import { z } from 'zod';

const STANDARD_SCHEDULE = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const SEND_MARGIN_MS = 1_000;

/** The environment of webhook-dispatcher. */
export const configSchema = z
  .object({
    ...serviceVariables,
    ...brokerVariables,
    ...stageVariables,
    ...storeVariables,
    ...settingsKeysVariables,
    /** Seconds between attempts, comma separated; one attempt more than there are entries. Default that of Standard Webhooks, 75 h. */
    WEBHOOK_SCHEDULE_SECONDS: listVariable({ min: 1, max: 2_592_000, default: STANDARD_SCHEDULE }),
    /** Milliseconds for the TCP connection, and again for TLS. Default 5 s. */
    WEBHOOK_CONNECT_TIMEOUT_MS: integerVariable({ min: 10, max: 60_000, default: 5_000 }),
    /** Milliseconds for a whole request: name, connection, TLS, headers and body. Default 15 s. */
    WEBHOOK_TIMEOUT_MS: integerVariable({ min: 10, max: 120_000, default: 15_000 }),
    /** Milliseconds between two looks for due deliveries. Default 1 s. */
    WEBHOOK_POLL_MS: integerVariable({ min: 10, max: 60_000, default: 1_000 }),
    /** Milliseconds for which a delivery belongs to one process. Default 60 s; at least WEBHOOK_TIMEOUT_MS + 1 s. */
    WEBHOOK_LEASE_MS: integerVariable({ min: 1_000, max: 3_600_000, default: 60_000 }),
    /** Webhooks that one process sends at the same time; ones that are out for more than a second do not count, up to twice as many. Default 32. */
    WEBHOOK_SLOTS: integerVariable({ min: 1, max: 1_024, default: 32 }),
    /** Webhooks in flight to one endpoint, over all processes, for businesses that name no number. Default 8. */
    WEBHOOK_ENDPOINT_SLOTS: integerVariable({ min: 1, max: 1_024, default: 8 }),
    /** Webhooks a second to one endpoint, likewise. Default 100. */
    WEBHOOK_ENDPOINT_RATE: integerVariable({ min: 1, max: 10_000, default: 100 }),
    ...egressVariables,
  })
  .refine(DEV_ORIGINS_RULE.holds, DEV_ORIGINS_RULE.problem)
  .refine((config) => config.WEBHOOK_LEASE_MS >= config.WEBHOOK_TIMEOUT_MS + SEND_MARGIN_MS, {
    path: ['WEBHOOK_LEASE_MS'],
    message: `must be at least WEBHOOK_TIMEOUT_MS + ${SEND_MARGIN_MS}`,
  });
