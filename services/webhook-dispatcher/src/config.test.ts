import { randomBytes } from 'node:crypto';
import { parseConfig } from '@pipeline/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema } from './config.ts';

const NEEDED = {
  NATS_URL: 'nats://127.0.0.1:4222',
  NATS_USER: 'webhook-dispatcher',
  NATS_PASSWORD: 'b5c2f0a1',
  MONGO_URL: 'mongodb://127.0.0.1:27017',
  MONGO_USER: 'webhook-dispatcher',
  MONGO_PASSWORD: 'b5c2f0a1',
  SETTINGS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
};

describe('the configuration', () => {
  it('has a default for everything of its own', () => {
    expect(parseConfig(configSchema, NEEDED)).toMatchObject({
      WEBHOOK_SCHEDULE_SECONDS: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
      WEBHOOK_CONNECT_TIMEOUT_MS: 5_000,
      WEBHOOK_TIMEOUT_MS: 15_000,
      WEBHOOK_LEASE_MS: 60_000,
      WEBHOOK_ALLOWED_ORIGINS: [],
      WEBHOOK_DEV_ORIGINS: [],
      WEBHOOK_NAT64: false,
    });
  });

  it('V155: refuses development origins in production, which is also the default mode', () => {
    const environment = { ...NEEDED, WEBHOOK_DEV_ORIGINS: 'http://127.0.0.1:9000' };
    expect(problemsOf(environment)).toEqual(['WEBHOOK_DEV_ORIGINS: is refused when NODE_ENV is production']);
    expect(problemsOf({ ...environment, NODE_ENV: 'development' })).toEqual([]);
  });

  it.each(['http://10.0.0.7:5678', 'http://n8n.internal:5678', 'http://127.0.0.1:9000/hook', 'nonsense'])(
    'takes no development origin %s: it is not one on this machine',
    (origin) => {
      expect(problemsOf({ ...NEEDED, NODE_ENV: 'development', WEBHOOK_DEV_ORIGINS: origin })).not.toEqual([]);
    },
  );

  it('takes several exact origins, and never loopback or a metadata address as allowed ones', () => {
    expect(allowed('http://n8n.automation.svc.cluster.local:5678, https://10.0.0.7')).toEqual([]);
    for (const origin of [
      'http://127.0.0.1:5678',
      'http://[::1]',
      'http://169.254.169.254',
      'http://n8n.internal/',
      'n8n',
    ]) {
      expect(allowed(origin), origin).toHaveLength(1);
    }
  });

  it('takes only CIDRs as denied ranges', () => {
    expect(problemsOf({ ...NEEDED, EGRESS_DENY_CIDRS: '34.118.224.0/20,fd00::/8' })).toEqual([]);
    expect(problemsOf({ ...NEEDED, EGRESS_DENY_CIDRS: '34.118.224.0' })).toEqual([
      'EGRESS_DENY_CIDRS: must be CIDRs, comma separated',
    ]);
  });

  it('wants a lease that outlives a request', () => {
    const environment = { ...NEEDED, WEBHOOK_TIMEOUT_MS: '30000', WEBHOOK_LEASE_MS: '30999' };
    expect(problemsOf(environment)).toEqual(['WEBHOOK_LEASE_MS: must be at least WEBHOOK_TIMEOUT_MS + 1000']);
  });
});

function allowed(origins: string): readonly string[] {
  return problemsOf({ ...NEEDED, WEBHOOK_ALLOWED_ORIGINS: origins });
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(configSchema, environment);
    return [];
  } catch (error) {
    return (error as { problems: readonly string[] }).problems; // parseConfig throws ConfigError alone
  }
}
