import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fillCache, readCache } from './cache.ts';
import type { Recipe } from './recipe.ts';
import { askVersion } from './version.ts';

let cache: string;
let lines: string[];
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'cache-test-'));
  lines = [];
});
afterEach(() => rm(cache, { recursive: true, force: true }));

const options = () => ({ environment: { PIPELINE_CACHE_DIR: cache }, report: (line: string) => lines.push(line) });
const fileIn = (folder: string): string => join(folder, 'nats-server');

async function writeProgram(file: string, version: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(file, 0o755);
}

/** A recipe for a tiny program that says `saysVersion`; `installs` counts. */
function tinyRecipe(saysVersion = '2.15.1'): Recipe & { installs: number } {
  const recipe = {
    name: 'nats-server',
    version: '2.15.1',
    source: 'a tiny program',
    duration: 'at once',
    kind: 'package',
    isSturdy: true,
    needs: [],
    installs: 0,
    install: async (folder: string) => {
      recipe.installs += 1;
      await writeProgram(fileIn(folder), saysVersion);
    },
    command: (folder: string) => ({ file: fileIn(folder), leading: [] }),
    readVersion: (folder: string) => askVersion(fileIn(folder)),
  } satisfies Recipe & { installs: number };
  return recipe;
}

test('two at once make it once, and both get it', async () => {
  const recipe = tinyRecipe();
  const [one, two] = await Promise.all([fillCache(recipe, options()), fillCache(recipe, options())]);
  expect(recipe.installs).toBe(1);
  expect(one.file).toBe(two.file);
  expect(await askVersion(one.file)).toBe('2.15.1');
  expect(await readdir(cache)).toHaveLength(1);
});

test.each([
  ['another version', async (file: string) => writeProgram(file, '2.9.0')],
  ['a truncated program', async (file: string) => writeFile(file, '')],
  ['no program', async (file: string) => rm(file)],
  ['a program that cannot be executed', async (file: string) => chmod(file, 0o644)],
])('a cache entry with %s is noticed and replaced', async (_, damage) => {
  const recipe = tinyRecipe();
  const { file } = await fillCache(recipe, options());
  await damage(file);
  expect((await readCache(recipe, options().environment)).kind).toBe('broken');
  await fillCache(recipe, options());
  expect(lines.join('\n')).toContain('replacing a broken nats-server');
  expect((await readCache(recipe, options().environment)).kind).toBe('ready');
});

test('an installation that fails or gives another version leaves nothing in the cache', async () => {
  await expect(fillCache(tinyRecipe('2.14.0'), options())).rejects.toThrow('says version 2.14.0, not 2.15.1');
  const failing: Recipe = { ...tinyRecipe(), install: () => Promise.reject(new Error('no network')) };
  await expect(fillCache(failing, options())).rejects.toThrow('no network');
  expect(await readdir(cache)).toEqual([]);
});

test('what an interrupted installation left behind does not disturb the next one', async () => {
  const recipe = tinyRecipe();
  const hanging: Recipe = {
    ...recipe,
    install: async (folder) => {
      await writeFile(join(folder, 'half'), '');
      throw new Error('interrupted');
    },
  };
  await expect(fillCache(hanging, options())).rejects.toThrow('interrupted');
  const { file } = await fillCache(recipe, options());
  expect(await readdir(join(file, '..'))).toEqual(['nats-server']);
});
