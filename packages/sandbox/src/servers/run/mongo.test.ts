import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isFree } from './free-port.ts';
import { isRunning } from './is-running.ts';
import { type RunningMongo, startMongo } from './mongo.ts';
import { withMongo } from './mongo-client.ts';
import type { ServerUser } from './running-server.ts';

const PREPARE_MS = 30 * 60_000;
const writer = { user: 'writer', password: 'p-writer', roles: { calls: 'readWrite' } } as const;
const reader = { user: 'reader', password: 'p-reader', roles: { calls: 'read' } } as const;
const nobody = { user: 'nobody', password: 'p-nobody', roles: {} } as const;
const users = [writer, reader, nobody];

const insert = (server: RunningMongo, user: ServerUser | null, id: string): Promise<unknown> =>
  withMongo(server.url, user, (client) =>
    client.db('calls').collection<{ _id: string }>('things').insertOne({ _id: id }),
  );
const ids = (server: RunningMongo, user: ServerUser): Promise<string[]> =>
  withMongo(server.url, user, async (client) => {
    const found = await client.db('calls').collection<{ _id: string }>('things').find().toArray();
    return found.map(({ _id }) => _id).toSorted();
  });

describe('a MongoDB of ours', () => {
  let server: RunningMongo;
  beforeAll(async () => {
    server = await startMongo({ users });
  }, PREPARE_MS);
  afterAll(() => server?.stop());

  test('holds every user to its roles', async () => {
    await insert(server, writer, 'one');
    expect(await ids(server, reader)).toEqual(['one']);
    await expect(insert(server, reader, 'two')).rejects.toMatchObject({ code: 13 });
    await expect(insert(server, null, 'two')).rejects.toMatchObject({ code: 13 });
    await expect(insert(server, { ...writer, password: 'no' }, 'two')).rejects.toMatchObject({ code: 18 });
    await expect(ids(server, nobody)).rejects.toMatchObject({ code: 13 });
    expect(await ids(server, server.root)).toEqual(['one']);
  });

  test('keeps what it acknowledged over SIGKILL and restart, with the same port and users, as another process', async () => {
    const { port, pid } = server;
    await insert(server, writer, 'kept');
    await server.kill();
    expect(isRunning(pid)).toBe(false);
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.port).toBe(port);
    expect(await ids(server, reader)).toContain('kept');
    await expect(insert(server, reader, 'two')).rejects.toMatchObject({ code: 13 });
  });

  test('named by the environment it gets our users, and loses them again when we stop', async () => {
    const environment = {
      PIPELINE_MONGO_URL: server.url,
      PIPELINE_MONGO_USER: server.root.user,
      PIPELINE_MONGO_PASSWORD: server.root.password,
    };
    const guest = { user: 'guest', password: 'p-guest', roles: { calls: 'read' } } as const;
    const given = await startMongo({ users: [guest, reader], environment });
    expect(given).toMatchObject({ url: server.url, pid: 0, found: 'given by PIPELINE_MONGO_URL', root: server.root });
    expect(await ids(given, guest)).toContain('kept');
    await expect(given.restart()).rejects.toThrow('not ours to restart');
    await given.stop();
    await expect(ids(server, guest)).rejects.toMatchObject({ code: 18 });
    expect(await ids(server, reader)).toContain('kept');
    const wrong = { ...environment, PIPELINE_MONGO_PASSWORD: 'no' };
    await expect(startMongo({ environment: wrong })).rejects.toThrow(
      'the MongoDB given by PIPELINE_MONGO_URL cannot be used',
    );
  });

  test('leaves no process and port after stop', async () => {
    const { pid, port } = server;
    await server.stop();
    expect(isRunning(pid)).toBe(false);
    expect(await isFree(port)).toBe(true);
  });
});

test(
  'a kept folder serves the next start, with the passwords and roles of that start',
  { timeout: PREPARE_MS },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'mongo-test-'));
    const first = await startMongo({ dataDir, users });
    await expect(startMongo({ dataDir, users })).rejects.toThrow(`${dataDir} is in use by another run`);
    await insert(first, writer, 'kept');
    await first.stop();
    const demoted = { ...writer, password: 'p-new', roles: { calls: 'read' } } as const;
    const second = await startMongo({ dataDir, users: [demoted] });
    expect(await ids(second, demoted)).toEqual(['kept']);
    await expect(insert(second, demoted, 'two')).rejects.toMatchObject({ code: 13 });
    await expect(ids(second, writer)).rejects.toMatchObject({ code: 18 });
    await second.stop();
    await rm(dataDir, { recursive: true });
  },
);
