import { readFileSync } from 'node:fs';
import { WEBHOOK_ATTEMPTS } from '@pipeline/contracts/webhook';
import { DRAIN_PER_SECOND, STOPPING } from '@pipeline/call-store/deliveries';
import { brokerVariables, serviceVariables, stageVariables, storeVariables } from '@pipeline/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema } from './config.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('has one row for each variable of this service, with its default, and no other', () => {
    const shared = {
      ...serviceVariables,
      ...brokerVariables,
      ...stageVariables,
      ...storeVariables,
    };
    const names = Object.keys(configSchema.shape) as (keyof typeof configSchema.shape)[]; // Object.keys loses the literal type
    const own = names.filter((name) => name !== 'SETTINGS_KEYS' && !Object.hasOwn(shared, name));
    const rows = [...readme.matchAll(/^\| `([A-Z0-9_]+)` \| (.*?) ?\|/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    const defaults = own.map((name) => {
      const preset: unknown = configSchema.shape[name].parse(undefined);
      return [name, String(preset)];
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
  });

  it('says how endpoints are kept apart by the numbers that are in force', () => {
    const { breakerFailures, breakerMinMs, breakerMaxMs, pauseAfterMs, pauseAfterFailures, warnings } = STOPPING;
    expect(readme).toContain(
      `${breakerFailures} failures in a row without an answer open it for ${breakerMinMs / 1_000} s, doubling to ${breakerMaxMs / 60_000} min`,
    );
    expect(readme).toContain(`${pauseAfterMs / 86_400_000} days of only failures and ${pauseAfterFailures} of them`);
    expect(readme).toContain(`warnings at ${warnings.slice(0, -1).join(', ')} and ${warnings.at(-1)} %`);
    expect(readme).toContain(
      `${STOPPING.cooldownMs / 60_000} min; what waited goes out at ${DRAIN_PER_SECOND} a second`,
    );
  });

  it('names every code of an attempt', () => {
    for (const code of Object.keys(WEBHOOK_ATTEMPTS)) expect(readme, code).toContain(`\`${code}\``);
  });
});
