import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isFree } from './free-port.ts';
import { isRunning } from './is-running.ts';
import { type RunningNats, startNats } from './nats.ts';

const PREPARE_MS = 15 * 60_000;
const stage = {
  user: 'stage',
  password: 'p-stage',
  permissions: { publish: ['work.>', '$JS.API.>'], subscribe: ['_INBOX_stage.>'] },
};

/** A client that speaks the protocol by hand: this package does not import the NATS client. */
function talk(server: RunningNats, login: object) {
  const socket: Socket = connect({ host: '127.0.0.1', port: server.port });
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk.toString('utf8')));
  socket.on('error', () => {});
  socket.write(`CONNECT ${JSON.stringify({ verbose: false, headers: true, ...login })}\r\n`);
  return {
    say: (text: string) => socket.write(text),
    hears: (pattern: RegExp) => vi.waitUntil(() => pattern.exec(heard)?.[0], { timeout: 5_000 }),
    hangUp: () => socket.destroy(),
  };
}

/** Asks the JetStream API and waits for an answer that matches. */
async function ask(server: RunningNats, subject: string, body: string, answer: RegExp): Promise<void> {
  const client = talk(server, { user: stage.user, pass: stage.password });
  client.say('SUB _INBOX_stage.1 1\r\n');
  client.say(`PUB ${subject} _INBOX_stage.1 ${Buffer.byteLength(body)}\r\n${body}\r\n`);
  await client.hears(answer);
  client.hangUp();
}

describe('a NATS server of ours', () => {
  let server: RunningNats;
  beforeAll(async () => {
    server = await startNats({ users: [stage], maxPayload: 64 * 1024, maxFileStore: 32 * 1024 * 1024 });
  }, PREPARE_MS);
  afterAll(() => server?.stop());

  test('refuses who does not sign in, and what is not on the user’s lists', async () => {
    const nobody = talk(server, {});
    expect(await nobody.hears(/-ERR.*/)).toContain('Authorization Violation');
    nobody.hangUp();
    const client = talk(server, { user: stage.user, pass: stage.password });
    client.say('PUB elsewhere 0\r\n\r\n');
    await client.hears(/-ERR 'Permissions Violation for Publish to "elsewhere"'/);
    client.say('SUB work.> 2\r\n');
    await client.hears(/-ERR 'Permissions Violation for Subscription to "work.>"'/);
    client.hangUp();
  });

  test('answers its monitoring endpoints, with the limits that were asked for', async () => {
    const answer = await fetch(`${server.monitorUrl}/varz`, { signal: AbortSignal.timeout(5_000) });
    expect(await answer.json()).toMatchObject({
      max_payload: 64 * 1024,
      jetstream: { config: { max_storage: 32 * 1024 * 1024 } },
    });
  });

  test('keeps what it stored over SIGKILL and restart, on the same port, as another process', async () => {
    const { port, pid } = server;
    const config = { name: 'KEPT', subjects: ['work.>'], storage: 'file', num_replicas: 1, max_bytes: 1_000_000 };
    await ask(
      server,
      '$JS.API.STREAM.CREATE.KEPT',
      JSON.stringify(config),
      /"type":"io.nats.jetstream.api.v1.stream_create_response","config"/,
    );
    await ask(server, 'work.1', 'something', /"stream":"KEPT".*"seq":1/);
    await server.kill();
    expect(isRunning(pid)).toBe(false);
    expect(await isFree(port)).toBe(true);
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.port).toBe(port);
    await ask(server, '$JS.API.STREAM.INFO.KEPT', '', /"messages":1/);
  });

  test('another server that has taken its port meanwhile is not mistaken for it', async () => {
    await server.kill();
    const greeting = JSON.stringify({ server_name: 'impostor', version: '2.15.1', jetstream: true });
    const impostor = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write('PONG\r\n'));
      socket.write(`INFO ${greeting}\r\n`);
    });
    impostor.listen(server.port, '127.0.0.1');
    await once(impostor, 'listening');
    await expect(server.restart()).rejects.toThrow(/nats-server ended at once.*address already in use/s);
    impostor.close();
    await once(impostor, 'close');
    await server.restart();
  });

  test('leaves no process, port or folder after stop, and stop twice is harmless', async () => {
    const { pid, port, dataDir } = server;
    await Promise.all([server.stop(), server.stop()]);
    expect(isRunning(pid)).toBe(false);
    expect(await isFree(port)).toBe(true);
    await expect(access(dataDir ?? '')).rejects.toThrow(`ENOENT: no such file or directory, access '${dataDir}'`);
    await expect(server.restart()).rejects.toThrow('cannot be restarted');
  });
});

test(
  'a kept folder keeps its streams for the next server, and two servers never share it',
  { timeout: PREPARE_MS },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'nats-test-'));
    const first = await startNats({ dataDir, users: [stage] });
    await expect(startNats({ dataDir, users: [stage] })).rejects.toThrow(`${dataDir} is in use by another run`);
    const config = { name: 'KEPT', subjects: ['work.>'], storage: 'file', num_replicas: 1 };
    await ask(first, '$JS.API.STREAM.CREATE.KEPT', JSON.stringify(config), /"config":\{"name":"KEPT"/);
    await first.stop();
    const second = await startNats({ dataDir, users: [stage] });
    await ask(second, '$JS.API.STREAM.INFO.KEPT', '', /"config":\{"name":"KEPT"/);
    await second.stop();
    await rm(dataDir, { recursive: true });
  },
);

describe('a NATS server that the environment names', () => {
  let server: RunningNats;
  beforeAll(async () => {
    server = await startNats({ users: [{ user: 'shared', password: 'p-shared' }] });
  }, PREPARE_MS);
  afterAll(() => server?.stop());
  const environment = () => ({
    PIPELINE_NATS_URL: server.url,
    PIPELINE_NATS_USER: 'shared',
    PIPELINE_NATS_PASSWORD: 'p-shared',
  });

  test('is used as it is: all identities share its user, and it is not ours to kill or stop', async () => {
    const given = await startNats({ users: [stage], environment: environment() });
    expect(given).toMatchObject({
      url: server.url,
      pid: 0,
      found: 'given by PIPELINE_NATS_URL',
      version: server.version,
    });
    expect(given.users).toEqual({ stage: { user: 'shared', password: 'p-shared' } });
    await expect(given.kill()).rejects.toThrow('not ours to kill');
    await given.stop();
    expect(isRunning(server.pid)).toBe(true);
  });

  test('that refuses the user, or is not there, or is something else, is one clear sentence', async () => {
    const wrong = { ...environment(), PIPELINE_NATS_PASSWORD: 'no' };
    await expect(startNats({ environment: wrong })).rejects.toThrow(
      "the NATS server given by PIPELINE_NATS_URL cannot be used: it answered -ERR 'Authorization Violation'",
    );
    const monitor = { PIPELINE_NATS_URL: server.monitorUrl?.replace('http', 'nats') };
    await expect(startNats({ environment: monitor })).rejects.toThrow('cannot be used');
    const nobody = { PIPELINE_NATS_URL: 'nats://127.0.0.1:1' };
    await expect(startNats({ environment: nobody })).rejects.toThrow('ECONNREFUSED');
  });
});
