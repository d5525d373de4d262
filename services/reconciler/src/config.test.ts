import { readFileSync } from 'node:fs';
import { brokerVariables, ConfigError, parseConfig, serviceVariables, storeVariables } from '@pipeline/runtime';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import type { VerdictKind } from './verdict.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const NEEDED = {
  NATS_URL: 'nats://127.0.0.1:4222',
  NATS_USER: 'reconciler',
  NATS_PASSWORD: 'b5c2f0a1',
  MONGO_URL: 'mongodb://127.0.0.1:27017',
  MONGO_USER: 'reconciler',
  MONGO_PASSWORD: 'b5c2f0a1',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
  TWILIO_API_KEY_SECRET: 'b5c2f0a1',
};

test('it is one run, two minutes after the end of a call, below a schedule of five minutes', () => {
  expect(parseConfig(configSchema, NEEDED)).toMatchObject({
    RECONCILE_EVERY_MS: 0,
    SETTLE_MS: 120_000,
    LOOKBACK_MS: 4 * 86_400_000,
    RUN_TIMEOUT_MS: 240_000,
  });
});

test.each([
  ['B91', { TWILIO_API_KEY_SECRET: ' ' }, 'TWILIO_API_KEY_SECRET: is missing'],
  ['B94', { LOOKBACK_MS: String(31 * 86_400_000) }, `LOOKBACK_MS: must be at most ${30 * 86_400_000}`],
  ['B94', { STUCK_AFTER_MS: '120000' }, 'STUCK_AFTER_MS: must be above SETTLE_MS'],
  ['B97', { CRASH_AT: 'rc.mid:1' }, 'CRASH_AT: is refused when NODE_ENV is production'],
])('%s what cannot be used is named and never shown', (_number, more, problem) => {
  let failure: unknown;
  try {
    parseConfig(configSchema, { ...NEEDED, ...more });
  } catch (error) {
    failure = error;
  }
  expect(failure instanceof ConfigError && failure.problems).toEqual([problem]);
});

test('the README has one row for each variable of this service, with its default, and no other', () => {
  const shared = { ...serviceVariables, ...brokerVariables, ...storeVariables };
  const own = Object.entries(configSchema.shape).filter(([name]) => !Object.hasOwn(shared, name));
  const defaults = own.map(([name, schema]) => {
    const preset = schema.safeParse(undefined);
    return [name, preset.success ? String(preset.data) : 'required'];
  });
  const rows = [...readme.matchAll(/^\| `([A-Z0-9_]+)` \| (.*?) ?\|/gm)].map(([, name, preset]) => [name, preset]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
});

test('the README has one row for each verdict', () => {
  const verdicts: Record<VerdictKind, true> = {
    young: true,
    no_call: true,
    known: true,
    unowned: true,
    doubtful: true,
    unreadable: true,
    in_work: true,
    stuck: true,
    missing: true,
  };
  const rows = [...readme.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(Object.keys(verdicts));
});
