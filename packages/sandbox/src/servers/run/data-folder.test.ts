import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openDataFolder } from './data-folder.ts';

const MODULE = JSON.stringify(fileURLToPath(new URL('data-folder.ts', import.meta.url)));

test('a temporary folder goes when it is released, and each is another one', async () => {
  const [one, two] = [await openDataFolder('test', undefined), await openDataFolder('test', undefined)];
  expect(one.path).not.toBe(two.path);
  await writeFile(join(one.path, 'file'), '');
  await one.release();
  await two.release();
  for (const { path } of [one, two]) await expect(access(path)).rejects.toThrow('ENOENT');
});

test('a process that exits before a server runs in its temporary folders leaves none', async () => {
  const program = `
    import { openDataFolder } from ${MODULE};
    const folders = [await openDataFolder('test'), await openDataFolder('test')];
    process.stdout.write(JSON.stringify(folders.map(({ path }) => path)), () => process.exit(1));`;
  const failure = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]).catch(
    (error: { stdout: string }) => error,
  );
  const paths: string[] = JSON.parse(failure.stdout);
  expect(paths).toHaveLength(2);
  for (const path of paths) await expect(access(path)).rejects.toThrow('ENOENT');
});

test('a given folder is made, kept, and free for the next run after its release', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'data-folder-test-'));
  const path = join(parent, 'new');
  const folder = await openDataFolder('test', path);
  await expect(openDataFolder('test', path)).rejects.toThrow(`the test data folder ${path} is in use by another run`);
  await folder.release();
  await (await openDataFolder('test', path)).release();
  await access(path);
  await rm(parent, { recursive: true });
});
