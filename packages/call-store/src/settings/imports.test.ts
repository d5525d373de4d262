import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ENTRY = resolve(import.meta.dirname, 'index.ts');

test('whoever imports the settings imports neither CallLog, deliveries nor what opens secrets', async () => {
  const reached = await reachedFrom(ENTRY);
  expect(reached.size).toBeGreaterThan(8);
  expect([...reached].filter((file) => /call-log|deliver|secrets/.test(file.slice(file.indexOf('/src/'))))).toEqual([]);
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
