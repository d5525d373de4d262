import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The folders whose code names one first-class field, tests and generated schemas apart. */
async function foldersNaming(field: string): Promise<Set<string>> {
  const folders = new Set<string>();
  for await (const file of glob('{services,packages}/*/src/**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts') || file.includes('/fixtures/')) continue;
    const source = await readFile(`${root}${file}`, 'utf8');
    if (source.includes(field)) folders.add(file.split('/').slice(0, 2).join('/'));
  }
  return folders;
}

test('a first-class field is known to contracts, call-store, extractor and the payload, and to nobody else', async () => {
  const page = await readFile(`${root}docs/adding-a-field.md`, 'utf8');
  const table = page
    .split('\n')
    .filter((line) => /^\| \d \|/.test(line))
    .join('\n');
  const named = [...table.matchAll(/`((?:services|packages)\/[a-z-]+)\//g)].map((match) => match[1]);
  expect(await foldersNaming('extracted_city')).toEqual(new Set(named));
  expect(named).toHaveLength(4);
});
