import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spool } from './spool.ts';

const MOUNT = { on: '/bin/mount', off: '/bin/umount' };
let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'spool-test-'))));
afterAll(() => rm(folder, { recursive: true }));

async function* chunksOf(...sizes: number[]): AsyncGenerator<Uint8Array> {
  let value = 0;
  for (const size of sizes) yield new Uint8Array(size).map(() => value++ % 256);
}

describe('audio on disk', () => {
  test('reads as it was written, at any place, and ends at its end', async () => {
    const { source, close } = await spool(chunksOf(300, 1, 700), 2_000, folder);
    expect(source.size).toBe(1_001);
    expect([...(await source.read(298, 5))]).toEqual([42, 43, 44, 45, 46]);
    expect((await source.read(990, 100)).length).toBe(11);
    expect((await source.read(2_000, 10)).length).toBe(0);
    await close();
  });

  test('has no name while it is used, so that a killed process leaves nothing behind', async () => {
    const { close } = await spool(chunksOf(10), 100, folder);
    expect(await readdir(folder)).toEqual([]);
    await close();
  });

  test('is given up as soon as it is too large', async () => {
    let produced = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        produced += 1;
        yield new Uint8Array(100);
      }
    }
    await expect(spool(endless(), 1_000, folder)).rejects.toMatchObject({ code: 'AUDIO_TOO_LARGE' });
    expect(produced).toBe(11);
    expect(await readdir(folder)).toEqual([]);
  });

  test('F79 that the disk does not take is tried again, with a code of its own', async () => {
    const failure = { name: 'RetryLaterError', deadline: 'provider', code: 'SPOOL_UNAVAILABLE' };
    await expect(spool(chunksOf(10), 100, join(folder, 'not', 'there'))).rejects.toMatchObject(failure);
  });

  test('F79 on a disk that is full gives back what it took', async ({ skip }) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    try {
      execFileSync(MOUNT.on, ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      skip('a small disk cannot be mounted here: that takes root');
    }
    try {
      const failure = { name: 'RetryLaterError', code: 'SPOOL_UNAVAILABLE', cause: { code: 'ENOSPC' } };
      await expect(spool(chunksOf(40_000, 40_000), 1_000_000, disk)).rejects.toMatchObject(failure);
      const { source, close } = await spool(chunksOf(40_000), 1_000_000, disk);
      expect(source.size).toBe(40_000);
      await close();
    } finally {
      execFileSync(MOUNT.off, [disk]);
    }
  });
});
