import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getMongo } from './mongo.ts';
import { getNats } from './nats.ts';
import type { FindOptions } from './program.ts';

let folder: string;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-test-'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A machine with nothing but these programs, which answer `--version` as given. */
async function machine(programs: Readonly<Record<string, string>>, more = {}): Promise<FindOptions> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const environment = { PATH: bin, PIPELINE_CACHE_DIR: join(folder, 'cache'), ...more };
  return { environment, prefer: 'quick', report: (line) => lines.push(line) };
}

test('the URL in the environment comes first, with its user, and is printed', async () => {
  const options = await machine(
    { 'nats-server': 'echo nats-server: v2.12.0' },
    { PIPELINE_NATS_URL: 'nats://10.0.0.1:4222', PIPELINE_NATS_USER: 'pipeline', PIPELINE_NATS_PASSWORD: 's3' },
  );
  expect(await getNats(options)).toEqual({
    kind: 'given',
    url: 'nats://10.0.0.1:4222',
    user: { user: 'pipeline', password: 's3' },
    found: 'given by PIPELINE_NATS_URL',
  });
  expect(lines).toEqual(['nats://10.0.0.1:4222: given by PIPELINE_NATS_URL']);
});

test.each([
  ['PIPELINE_MONGO_URL', 'localhost:27017'],
  ['PIPELINE_MONGO_URL', 'http://127.0.0.1/'],
  ['PIPELINE_MONGO_URL', 'mongodb://me:hidden@127.0.0.1/'],
])('%s that cannot be used is refused with one sentence that does not repeat it', async (name, value) => {
  const failure = getMongo(await machine({}, { [name]: value }));
  await expect(failure).rejects.toThrow(/^PIPELINE_MONGO_URL /);
  await expect(failure).rejects.not.toThrow('hidden');
});

test('a program on PATH is taken and its place printed', async () => {
  const found = await getMongo(await machine({ mongod: 'echo db version v7.0.5', 'secantusd-rs': 'exit 1' }));
  expect(found).toMatchObject({
    kind: 'program',
    name: 'mongod',
    version: '7.0.5',
    file: join(folder, 'bin', 'mongod'),
  });
  expect(lines.at(-1)).toBe(`mongod 7.0.5: on PATH (${join(folder, 'bin', 'mongod')})`);
});

test('a nats-server that is too old is passed over, and when nothing else works the message says why and names three ways out', async () => {
  const options = await machine({
    'nats-server': 'echo nats-server: v2.9.10',
    python3: 'echo broken python >&2; exit 1',
  });
  const failure = await getNats(options).then(
    () => '',
    (error: Error) => error.message,
  );
  expect(failure).toContain('no NATS server could be found or made on this machine');
  expect(failure).toContain('nats-server 2.9.10 on PATH is too old, 2.10 or newer is needed');
  expect(failure).toContain('no Python 3.10 or newer on PATH');
  expect(failure).toContain('the Go module nats-server 2.12.2 needs go on PATH');
  expect(failure.match(/^ {2}\d\. /gm)).toEqual(['  1. ', '  2. ', '  3. ']);
});

test('a way that fails is printed and the next one is tried', async () => {
  const go =
    'printf \'#!/bin/sh\\necho nats-server: v2.12.2\\n\' > "$GOBIN/nats-server"; chmod +x "$GOBIN/nats-server"';
  const options = await machine({
    python3: 'exit 1',
    go: `/bin/mkdir -p "$GOBIN"; ${go.replace('chmod', '/bin/chmod')}`,
  });
  expect(await getNats(options)).toMatchObject({ name: 'nats-server', version: '2.12.2' });
  expect(lines.some((line) => line.includes('no Python 3.10 or newer on PATH'))).toBe(true);
  expect(await getNats(options)).toMatchObject({ found: expect.stringContaining('cached (') });
});
