import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { brokerVariables, recordingVariables, serviceVariables, stageVariables, storeVariables } from './index.ts';

test('the README has one row for each variable of several services, with its default, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) ?\|/gm)].map(([, name, value]) => [name, value]);
  const shared = {
    ...serviceVariables,
    ...brokerVariables,
    ...stageVariables,
    ...recordingVariables,
    ...storeVariables,
  };
  const defaults = Object.entries(shared).map(([name, schema]) => {
    const parsed = schema.safeParse(undefined);
    return [name, parsed.success ? String(parsed.data ?? 'unset') : 'required'];
  });
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(defaults));
});
