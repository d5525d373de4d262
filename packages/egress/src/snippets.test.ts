import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSignatureVectors, WEBHOOK_FOLDER, type SignatureVector } from './fixtures/signature-vectors.ts';
import { signAttempt } from './signing.ts';

const SNIPPETS = fileURLToPath(new URL('../../../docs/webhooks/snippets/', import.meta.url));
const VECTORS_FILE = fileURLToPath(new URL('signatures.json', WEBHOOK_FOLDER));

/** Go builds its own library first where it never built anything: 40 s of two busy cores. */
const LIMIT_MS = 300_000;

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** The snippet needs nothing but the standard library. */
const GO_OFFLINE = ['GOFLAGS=-mod=mod', 'GOPROXY=off', 'GOTOOLCHAIN=local'];

/** How each snippet's language is asked for, and how its runner over the vectors is started in a folder of its own. */
const LANGUAGES: readonly Language[] = [
  { file: 'verify.mjs', needs: [[process.execPath, '--version']], start: [process.execPath, 'verify.mjs'] },
  {
    file: 'verify.py',
    needs: [['python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 9))']],
    start: ['python3', 'verify.py'],
  },
  { file: 'verify.go', needs: [['go', 'version']], start: ['env', ...GO_OFFLINE, 'go', 'run', '.'] },
  { file: 'verify.php', needs: [['php', '--version']], start: ['php', 'verify.php'] },
  { file: 'verify.rb', needs: [['ruby', '--version']], start: ['ruby', 'verify.rb'] },
  {
    file: 'verify.sh',
    needs: [
      ['bash', '--version'],
      ['openssl', 'version'],
      ['jq', '--version'],
    ],
    start: ['bash', 'verify.sh'],
  },
];
type Language = {
  readonly file: string;
  readonly needs: readonly (readonly string[])[];
  readonly start: readonly string[];
};

const folder = mkdtempSync(join(tmpdir(), 'snippets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the verify snippets', () => {
  it('are all run here', () => {
    const files = readdirSync(SNIPPETS).filter((file) => file.startsWith('verify.'));
    expect(LANGUAGES.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
  });

  for (const language of LANGUAGES) {
    const missing = language.needs.find(([program = '', ...args]) => spawnSync(program, args).status !== 0);
    const without = missing === undefined ? '' : ` (skipped: no ${String(missing[0])} on this machine)`;
    it.skipIf(missing !== undefined)(
      `${language.file} decides every vector rightly${without}`,
      { timeout: LIMIT_MS + 10_000 },
      () => {
        const output = runOverVectors(language);
        const expected = readSignatureVectors().map(({ valid, name }) => `${valid ? 'valid' : 'invalid'}\t${name}`);
        expect(output.trimEnd().split('\n')).toEqual(expected);
      },
    );
  }
});

describe('the server of the recipes', () => {
  const added: string[] = [];
  let isQueueAway = false;
  let server: Server;
  let url = '';

  beforeAll(async () => {
    const [, code = ''] =
      /```js\n(import \{ createServer[\s\S]+?)```/.exec(readFileSync(join(SNIPPETS, '../recipes.md'), 'utf8')) ?? [];
    const place = join(folder, 'recipe');
    mkdirSync(place);
    cpSync(join(SNIPPETS, 'verify.mjs'), join(place, 'verify.mjs'));
    // The queue is the reader's; where it listens the test has to know.
    const run = `export const run = (queue, listening) => {\n${code
      .replace(/^import .*$/gm, '')
      .replace('.listen(8080)', ".listen(0, '127.0.0.1', function () { listening(this); })")}\n};`;
    writeFileSync(join(place, 'recipe.mjs'), `${code.match(/^import .*$/gm)?.join('\n') ?? ''}\n${run}`);
    const recipe: unknown = await import(pathToFileURL(join(place, 'recipe.mjs')).href);
    const { run: start } = recipe as { run(queue: object, listening: (server: Server) => void): void }; // as written above
    const queue = {
      add: async (id: string) => {
        if (isQueueAway) throw new Error('the queue is away');
        added.push(id);
      },
    };
    server = await new Promise<Server>((resolve) => start(queue, resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
    vi.stubEnv('WEBHOOK_SECRETS', SECRET);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    server?.close();
  });
  afterEach(() => {
    isQueueAway = false;
    added.length = 0;
  });

  it('answers 204 to what verifies, once it is in the queue', async () => {
    expect(await send(signed('msg_1'))).toBe(204);
    expect(added).toEqual(['msg_1']);
  });

  it('answers 401 to what does not verify, and 503 when its own queue fails, so that the next attempt comes soon', async () => {
    expect(await send({ ...signed('msg_2'), 'webhook-id': 'msg_3' })).toBe(401);
    isQueueAway = true;
    expect(await send(signed('msg_2'))).toBe(503);
    expect(await send({ ...signed('msg_2'), 'webhook-id': 'msg_3' })).toBe(401);
    expect(added).toEqual([]);
  });

  async function send(headers: Readonly<Record<string, string>>): Promise<number> {
    return (await fetch(url, { method: 'POST', headers, body: '{}' })).status;
  }
});

function signed(id: string): Readonly<Record<string, string>> {
  return signAttempt({ id, body: Buffer.from('{}'), secrets: [SECRET], nowMs: Date.now() });
}

describe('the code for n8n', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('decides every vector rightly, as a Code node runs it', async () => {
    const code =
      /```js\n\s+const \{ createHmac[\s\S]+?```/.exec(readFileSync(join(SNIPPETS, '../recipes.md'), 'utf8'))?.[0] ?? '';
    const body = code.replace('```js', '').replace('```', '');
    const node = compileFunction(`return (async function () {${body}}).call(self)`, [
      'self',
      '$json',
      '$env',
      'require',
    ]);
    for (const vector of readSignatureVectors()) {
      vi.useFakeTimers({ toFake: ['Date'], now: vector.now * 1_000 });
      const verdicts = await Promise.all(
        vector.secrets.map((secret) => runNode((...given) => Reflect.apply(node, undefined, given), vector, secret)),
      );
      expect(verdicts.includes(true), vector.name).toBe(vector.valid);
    }
  });
});

/** n8n gives the code one secret, the headers, and the raw body as a binary. */
async function runNode(
  node: (...given: unknown[]) => unknown,
  vector: SignatureVector,
  secret: string,
): Promise<boolean> {
  const self = { helpers: { getBinaryDataBuffer: async () => Buffer.from(vector.body_base64, 'base64') } };
  try {
    await node(self, { headers: vector.headers }, { WEBHOOK_SECRET: secret }, createRequire(import.meta.url));
    return true;
  } catch {
    return false;
  }
}

/** Snippet and runner in one folder: in `snippet/`, but for Go, whose package is a folder. */
function runOverVectors({ file, start }: Language): string {
  const place = join(folder, file);
  const isGo = file.endsWith('.go');
  mkdirSync(place, { recursive: true });
  cpSync(join(SNIPPETS, 'vectors', file), join(place, isGo ? 'main.go' : file));
  cpSync(join(SNIPPETS, file), join(place, isGo ? file : `snippet/${file}`));
  if (isGo) cpSync(join(SNIPPETS, 'vectors/go.mod'), join(place, 'go.mod'));
  const [program = '', ...args] = start;
  const ran = spawnSync(program, [...args, VECTORS_FILE], {
    cwd: place,
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  if (ran.status !== 0) throw new Error(`${file} ended with ${ran.status ?? ran.signal}: ${ran.stderr}`);
  return ran.stdout;
}
