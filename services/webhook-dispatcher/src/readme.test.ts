import { readFileSync } from 'node:fs';
import { WEBHOOK_ATTEMPTS } from '@pipeline/contracts/webhook';
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

  it('names every code of an attempt', () => {
    for (const code of Object.keys(WEBHOOK_ATTEMPTS)) expect(readme, code).toContain(`\`${code}\``);
  });
});
