import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servers-cli-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command on a machine that has nothing but what is in `folder`. */
function servers(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: folder,
    PIPELINE_CACHE_DIR: join(folder, 'cache'),
    MONGOMS_DOWNLOAD_MIRROR: 'http://127.0.0.1:1',
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function putProgram(name: string, version: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\necho "${version}"\n`);
  await chmod(join(folder, name), 0o755);
}

test('both servers are printed with version, way and place, and the stand-in says that it is not for production data', async () => {
  await putProgram('nats-server', 'nats-server: v2.12.4');
  await putProgram('secantusd-rs', 'secantusd-rs 0.5.3-beta.193');
  const { code, stdout } = await servers();
  expect(code).toBe(0);
  expect(stdout).toContain(`NATS: nats-server 2.12.4, on PATH (${join(folder, 'nats-server')})`);
  expect(stdout).toContain(`MongoDB: secantusd-rs 0.5.3-beta.193, on PATH (${join(folder, 'secantusd-rs')})`);
  expect(stdout).toContain('not for production data');
});

test('--json prints one object on stdout and nothing else there', async () => {
  await putProgram('nats-server', 'nats-server: v2.12.4');
  await putProgram('mongod', 'db version v8.0.4');
  const { stdout } = await servers('--json', '--prefer', 'robust');
  expect(JSON.parse(stdout)).toEqual({
    nats: { name: 'nats-server', version: '2.12.4', found: expect.any(String), file: join(folder, 'nats-server') },
    mongo: { name: 'mongod', version: '8.0.4', found: expect.any(String), file: join(folder, 'mongod') },
  });
});

test('where nothing can be had the exit code is 1 and the message tells for each server three ways out', async () => {
  const { code, stderr, stdout } = await servers();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const server of ['NATS server', 'MongoDB server'])
    expect(stderr).toContain(`no ${server} could be found or made`);
  expect(stderr.match(/the three shortest ways to fix it/g)).toHaveLength(2);
  expect(stderr).toContain('cannot be reached within 10 s');
});

test('wrong usage ends with 2 and names the mistake, --help with 0 and names every variable', async () => {
  expect(await servers('--prefer', 'fast')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('quick or robust'),
  });
  expect(await servers('--nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining('--nonsense') });
  const help = await servers('--help');
  expect(help.code).toBe(0);
  for (const name of ['PIPELINE_NATS_URL', 'PIPELINE_MONGO_PASSWORD', 'PIPELINE_CACHE_DIR']) {
    expect(help.stdout).toContain(name);
  }
});
