import { readFileSync } from 'node:fs';
import { brokerVariables, serviceVariables, stageVariables, storeVariables } from '@pipeline/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema } from './config.ts';
import { publicReason, type AttemptCode } from './delivery/outcome.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** A record, so that a code which is added without a place here does not compile. */
const CODES: Record<AttemptCode, true> = {
  delivered: true,
  redirect_not_followed: true,
  endpoint_gone: true,
  stopped_by_receiver: true,
  refused_by_receiver: true,
  throttled: true,
  http_4xx: true,
  http_5xx: true,
  http_unexpected: true,
  response_too_large: true,
  response_invalid: true,
  timeout: true,
  connection_failed: true,
  tls_error: true,
  dns_no_address: true,
  dns_error: true,
  dns_timeout: true,
  ip_blocked: true,
  ip_literal_not_allowed: true,
  host_not_allowed: true,
  port_not_allowed: true,
  scheme_not_allowed: true,
  userinfo_not_allowed: true,
  url_invalid: true,
  sender_exhausted: true,
  internal_error: true,
};

describe('the README', () => {
  it('has one row for each variable of this service, with its default, and no other', () => {
    const shared = { ...serviceVariables, ...brokerVariables, ...stageVariables, ...storeVariables };
    const names = Object.keys(configSchema.shape) as (keyof typeof configSchema.shape)[]; // Object.keys loses the literal type
    const own = names.filter((name) => !Object.hasOwn(shared, name));
    const rows = [...readme.matchAll(/^\| `([A-Z0-9_]+)` \| (.*?) ?\|/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    const defaults = own.map((name) => [name, String(configSchema.shape[name].parse(undefined))]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
  });

  it('names every code of an attempt, and each has its words for the business', () => {
    for (const code of Object.keys(CODES) as AttemptCode[]) {
      expect(readme, code).toContain(`\`${code}\``);
      expect(publicReason(code)).toMatch(/\.$/);
    }
  });
});
