import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  brokerVariables,
  priceVariables,
  recordingVariables,
  serviceVariables,
  settingsKeysVariables,
  stageVariables,
  storeVariables,
} from './index.ts';

test('the README has one row for each variable of several services, with its default, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) ?\|/gm)].map(([, name, value]) => [name, value]);
  const shared = {
    ...serviceVariables,
    ...brokerVariables,
    ...stageVariables,
    ...recordingVariables,
    ...priceVariables,
    ...storeVariables,
    ...settingsKeysVariables,
  };
  const defaults = Object.entries(shared).map(([name, schema]) => {
    const parsed = schema.safeParse(undefined);
    if (!parsed.success) return [name, 'required'];
    const { data } = parsed;
    if (Array.isArray(data)) return [name, data.join(',')];
    return [name, typeof data === 'object' ? 'an object' : String(data ?? 'unset')];
  });
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
});
