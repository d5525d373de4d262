import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeDeadLock, takeLock } from './lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process id that existed and is free again. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

test('of several processes that want a lock left behind by a dead one, one at a time holds it', async () => {
  const path = join(folder, 'a.lock');
  const journal = join(folder, 'journal');
  await writeFile(path, JSON.stringify({ id: 'dead', pid: await deadPid(), host: hostname() }));
  const program = `
    import { appendFile } from 'node:fs/promises';
    import { takeLock } from ${JSON.stringify(fileURLToPath(new URL('lock.ts', import.meta.url)))};
    const [path, journal] = process.argv.slice(1);
    for (let round = 0; round < 3; round += 1) {
      const lock = await takeLock(path, { waitMs: 20_000 });
      await appendFile(journal, 'in\\n');
      await new Promise((resolve) => setImmediate(resolve));
      await appendFile(journal, 'out\\n');
      await lock.release();
    }`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program, path, journal], { stdio: 'inherit' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(await readFile(journal, 'utf8')).toBe('in\nout\n'.repeat(12));
  expect(await readdir(folder)).toEqual(['journal']);
});

test('takers of one dead lock inside one process do not remove each other’s lock', async () => {
  const path = join(folder, 'a.lock');
  await writeFile(path, JSON.stringify({ id: 'dead', pid: await deadPid(), host: hostname() }));
  const journal = join(folder, 'journal');
  const take = async (): Promise<void> => {
    const lock = await takeLock(path, { waitMs: 20_000 });
    await appendFile(journal, 'in\n');
    await appendFile(journal, 'out\n');
    await lock.release();
  };
  await Promise.all(Array.from({ length: 8 }, take));
  expect(await readFile(journal, 'utf8')).toBe('in\nout\n'.repeat(8));
});

test('a lock of a living process is respected, its holder is told to the one who waits, and waiting has an end', async () => {
  const path = join(folder, 'a.lock');
  const lock = await takeLock(path, { waitMs: 0 });
  const holders: number[] = [];
  const wait = takeLock(path, { waitMs: 400, onWait: ({ pid }) => holders.push(pid) });
  await expect(wait).rejects.toThrow(`held by process ${process.pid}`);
  expect(holders).toEqual([process.pid]);
  await lock.release();
  await (await takeLock(path, { waitMs: 0 })).release();
});

test('a lock without a heartbeat for long is taken over: its process id may belong to another program by now', async () => {
  const path = join(folder, 'a.lock');
  await writeFile(path, JSON.stringify({ id: 'old', pid: process.pid, host: hostname() }));
  const longAgo = new Date(Date.now() - 10 * 60_000);
  await utimes(path, longAgo, longAgo);
  await expect(takeLock(path, { waitMs: 2_000 })).resolves.toBeDefined();
});

test('who lost a lock does not release the next holder’s', async () => {
  const path = join(folder, 'a.lock');
  const lost = await takeLock(path, { waitMs: 0 });
  await rm(path);
  const held = await takeLock(path, { waitMs: 0 });
  await lost.release();
  await expect(takeLock(path, { waitMs: 0 })).rejects.toThrow('held');
  await held.release();
});

test('while another process takes a dead lock away nobody else does, and waiting for that has an end', async () => {
  const path = join(folder, 'a.lock');
  await writeFile(path, JSON.stringify({ id: 'dead', pid: await deadPid(), host: hostname() }));
  await writeFile(`${path}.dead`, '');
  await expect(takeLock(path, { waitMs: 300 })).rejects.toThrow('held');
  expect(await readdir(folder)).toEqual(['a.lock', 'a.lock.dead']);
});

test('a process that is late with taking a dead lock away leaves the next holder’s lock alone', async () => {
  const path = join(folder, 'a.lock');
  const held = await takeLock(path, { waitMs: 0 });
  await removeDeadLock(path, { id: 'dead' });
  expect(await readdir(folder)).toEqual(['a.lock']);
  await held.release();
});
