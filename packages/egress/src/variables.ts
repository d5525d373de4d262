import { z } from 'zod';
import { createAddressPolicy, isCidr, type AddressClass } from './address-policy.ts';
import { createUrlPolicy, isOrigin, literalOf, type UrlPolicy } from './url-policy.ts';

/** The environment variables of whoever judges or sends webhooks. Beside them belongs {@link DEV_ORIGINS_RULE}. */
export const egressVariables = {
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
};

/** What {@link egressVariables} say once they are read. */
export type EgressConfig = z.output<z.ZodObject<typeof egressVariables>>;

/** For `z.object(..).refine(DEV_ORIGINS_RULE.holds, DEV_ORIGINS_RULE.problem)`: no loopback in production. */
export const DEV_ORIGINS_RULE = {
  holds: (config: { readonly NODE_ENV: string; readonly WEBHOOK_DEV_ORIGINS: readonly string[] }): boolean =>
    config.NODE_ENV !== 'production' || config.WEBHOOK_DEV_ORIGINS.length === 0,
  problem: { path: ['WEBHOOK_DEV_ORIGINS'], message: 'is refused when NODE_ENV is production' },
};

/** The judge of URLs and addresses that a configuration describes. */
export function urlPolicyOf(config: EgressConfig): UrlPolicy {
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
