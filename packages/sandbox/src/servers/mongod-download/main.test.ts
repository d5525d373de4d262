import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverEnvironment } from '../find/environment.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mongod-download-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An archive as the download site has them, with a program in it that only tells its version. */
async function makeArchive(): Promise<Buffer> {
  await mkdir(join(folder, 'mongodb', 'bin'), { recursive: true });
  await writeFile(join(folder, 'mongodb', 'bin', 'mongod'), '#!/bin/sh\necho db version v8.2.6\n', { mode: 0o755 });
  await run('tar', ['-czf', join(folder, 'archive.tgz'), '-C', folder, 'mongodb']);
  return readFile(join(folder, 'archive.tgz'));
}

/** Serves the archive and its checksum under every name, and gives the download's way to it. */
async function mirror(archive: Buffer, checksum: string) {
  const site = createServer((request, response) => {
    const body = request.url?.endsWith('.md5') ? Buffer.from(`${checksum}  archive.tgz\n`) : archive;
    response.setHeader('content-length', body.length);
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  const address = site.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, close: () => site.close() };
}

function download(site: string): Promise<{ stdout: string; stderr: string }> {
  const env = { ...serverEnvironment(), MONGOMS_DOWNLOAD_MIRROR: site, MONGOMS_USE_HTTP: 'true', MONGOMS_VERSION: '' };
  return run(process.execPath, [MAIN, '8.2.6', join(folder, 'scratch'), join(folder, 'mongod')], { env });
}

test('the program of the archive is there, runs, and its download was told', async () => {
  const archive = await makeArchive();
  const site = await mirror(archive, createHash('md5').update(archive).digest('hex'));
  const { stdout } = await download(site.url);
  expect(stdout).toContain('100%');
  expect((await run(join(folder, 'mongod'), ['--version'])).stdout).toBe('db version v8.2.6\n');
  site.close();
});

test('an archive that disagrees with its checksum is refused', async () => {
  const site = await mirror(await makeArchive(), '0'.repeat(32));
  await expect(download(site.url)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('MD5') });
  await expect(readFile(join(folder, 'mongod'))).rejects.toThrow('ENOENT');
  site.close();
});

test('a site that is not there is one line', async () => {
  await expect(download('http://127.0.0.1:1')).rejects.toMatchObject({
    code: 1,
    stderr: '127.0.0.1:1 cannot be reached within 10 s\n',
  });
});
