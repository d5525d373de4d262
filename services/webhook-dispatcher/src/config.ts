import {
  brokerVariables,
  integerVariable,
  listVariable,
  serviceVariables,
  stageVariables,
  storeVariables,
} from '@pipeline/runtime';
import { z } from 'zod';
import { createAddressPolicy, isCidr, type AddressClass } from './address-policy.ts';
import { createUrlPolicy, isOrigin, literalOf, type UrlPolicy } from './url-policy.ts';

const STANDARD_SCHEDULE = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const SEND_MARGIN_MS = 1_000;

/** The environment of webhook-dispatcher. */
export const configSchema = z
  .object({
    ...serviceVariables,
    ...brokerVariables,
    ...stageVariables,
    ...storeVariables,
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
    /** Webhooks that one process sends at the same time. Default 32. */
    WEBHOOK_SLOTS: integerVariable({ min: 1, max: 1_024, default: 32 }),
    /** Webhooks in flight to one endpoint, over all processes. Default 8. */
    WEBHOOK_ENDPOINT_SLOTS: integerVariable({ min: 1, max: 1_024, default: 8 }),
    /** Exact origins inside our own network that businesses may name, comma separated. Never loopback or metadata. Default none. */
    WEBHOOK_ALLOWED_ORIGINS: originsVariable().refine(
      (origins) => !origins.some(isNeverAllowed),
      'must not be loopback, metadata or another special address',
    ),
    /** Exact origins on this machine, for development; refused when NODE_ENV is production. Default none. */
    WEBHOOK_DEV_ORIGINS: originsVariable().refine((origins) => origins.every(isLoopback), 'must be loopback'),
    /** CIDRs that no webhook may reach although they look public, such as a cluster's pods; comma separated. Default none. */
    EGRESS_DENY_CIDRS: textListVariable().refine((cidrs) => cidrs.every(isCidr), 'must be CIDRs, comma separated'),
    /** `true` where 64:ff9b::/96 is a working NAT64: its addresses then count as the IPv4 address inside. Default `false`. */
    WEBHOOK_NAT64: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true'),
  })
  .refine((config) => config.NODE_ENV !== 'production' || config.WEBHOOK_DEV_ORIGINS.length === 0, {
    path: ['WEBHOOK_DEV_ORIGINS'],
    message: 'is refused when NODE_ENV is production',
  })
  .refine((config) => config.WEBHOOK_LEASE_MS >= config.WEBHOOK_TIMEOUT_MS + SEND_MARGIN_MS, {
    path: ['WEBHOOK_LEASE_MS'],
    message: `must be at least WEBHOOK_TIMEOUT_MS + ${SEND_MARGIN_MS}`,
  });
export type Config = z.output<typeof configSchema>;

/** The judge of URLs and addresses that a configuration describes. */
export function urlPolicyOf(config: Config): UrlPolicy {
  return createUrlPolicy({
    addresses: createAddressPolicy({ denyCidrs: config.EGRESS_DENY_CIDRS, nat64: config.WEBHOOK_NAT64 }),
    allowedOrigins: config.WEBHOOK_ALLOWED_ORIGINS,
    devOrigins: config.WEBHOOK_DEV_ORIGINS,
  });
}

function textListVariable() {
  return z
    .string()
    .max(8_192)
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    );
}

function originsVariable() {
  return textListVariable().refine(
    (origins) => origins.every(isOrigin),
    'must be exact origins such as http://10.0.0.7:5678, comma separated',
  );
}

/** Names are judged when they are resolved; an address that is written out is judged at once. */
function isNeverAllowed(origin: string): boolean {
  const written = literalClass(origin);
  return written === 'loopback' || written === 'forbidden';
}

function isLoopback(origin: string): boolean {
  const hostname = URL.canParse(origin) ? new URL(origin).hostname : '';
  return literalClass(origin) === 'loopback' || hostname === 'localhost' || hostname.endsWith('.localhost');
}

function literalClass(origin: string): AddressClass | null {
  const literal = URL.canParse(origin) ? literalOf(new URL(origin).hostname) : null;
  return literal === null ? null : createAddressPolicy({ denyCidrs: [], nat64: false }).classify(literal);
}
