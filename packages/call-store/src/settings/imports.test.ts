import { glob, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ENTRY = resolve(import.meta.dirname, 'index.ts');

test('whoever imports the settings imports neither CallLog, deliveries nor what opens secrets', async () => {
  const reached = await reachedFrom(ENTRY);
  expect(reached.size).toBeGreaterThan(8);
  expect([...reached].filter((file) => /call-log|deliver|secrets/.test(file.slice(file.indexOf('/src/'))))).toEqual([]);
});

test('only webhook-dispatcher and callctl import what opens and seals secrets', async () => {
  const root = resolve(import.meta.dirname, '../../../..');
  const importers = new Set<string>();
  for await (const file of glob('{services,packages}/*/src/**/*.ts', { cwd: root })) {
    const source = await readFile(resolve(root, file), 'utf8');
    if (/from '@pipeline\/call-store\/settings-secrets'/.test(source)) importers.add(file.split('/')[1] ?? file);
  }
  expect([...importers].toSorted()).toEqual(['callctl', 'webhook-dispatcher']);
});

/** All files of this package that a file imports, itself among them. */
async function reachedFrom(entry: string): Promise<Set<string>> {
  const reached = new Set([entry]);
  for (const file of reached) {
    const source = await readFile(file, 'utf8');
    for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g))
      reached.add(resolve(file, '..', String(specifier)));
  }
  return reached;
}
