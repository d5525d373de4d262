import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { DATABASE_ROLES, DATABASES, IDENTITIES, type Database, type Identity } from '@pipeline/contracts';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { createCallLogReader, provisionCallLog } from '../call-log/index.ts';
import { createCallLogWriter } from '../call-log-writer/index.ts';
import { provisionDeliveries } from '../deliveries/index.ts';
import { newCallLog, newCallSid } from '../fixtures/call-log.ts';
import { configOf, quietLog } from '../fixtures/store.ts';
import { provisionSettings } from '../settings/index.ts';
import { connectStore, internalsOf, type Store } from './store.ts';

const never = new AbortController().signal;
const PREFIX = 'roles-';
const UNAUTHORIZED = { cause: { code: 13 } };
const password = randomBytes(12).toString('hex');
const collections = { calls: 'call_logs', settings: 'business_settings', delivery: 'webhook_deliveries' } as const;
const stores = new Map<Identity, Store>();
let server: RunningMongo;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  const users = IDENTITIES.map((identity) => {
    const roles: Partial<Record<Database, 'read' | 'readWrite' | 'dbAdmin'>> = DATABASE_ROLES[identity];
    const named = Object.entries(roles).map(([database, role]) => [`${PREFIX}${database}`, role]);
    return { user: identity, password, roles: Object.fromEntries(named) };
  });
  server = await startMongo({ users });
  for (const identity of IDENTITIES) {
    const config = configOf(server, { user: identity, password }, PREFIX);
    stores.set(identity, await connectStore({ config, instance: identity, logger: quietLog() }));
  }
  for (const provision of [provisionCallLog, provisionSettings, provisionDeliveries]) {
    await provision(storeOf('provision'), never);
  }
});
afterAll(async () => {
  for (const store of stores.values()) await store.close();
  await server?.stop();
});

test("a write to `calls` with any user but extractor's is refused by the database", async () => {
  const others = IDENTITIES.filter((identity) => identity !== 'extractor');
  expect(others).toHaveLength(8);
  const callSid = newCallSid();
  for (const identity of others) {
    const writer = createCallLogWriter(storeOf(identity));
    await expect(writer.store(newCallLog(callSid), never), identity).rejects.toMatchObject(UNAUTHORIZED);
    const erasure = writer.erase({ callSid, businessId: 'biz_1', revision: 1 }, never);
    await expect(erasure, identity).rejects.toMatchObject(UNAUTHORIZED);
    await expect(insert(identity, 'calls'), identity).rejects.toMatchObject({ code: 13 });
  }
  const reader = createCallLogReader(storeOf('extractor'));
  expect(await reader.find(callSid, never)).toEqual({ kind: 'none' });
  expect((await createCallLogWriter(storeOf('extractor')).store(newCallLog(callSid), never)).kind).toBe('stored');
  expect((await reader.find(callSid, never)).kind).toBe('call');
});

test('each user reads and writes exactly the databases of its role, and no other', async () => {
  for (const identity of IDENTITIES) {
    const roles: Partial<Record<Database, string>> = DATABASE_ROLES[identity];
    for (const database of DATABASES) {
      const role = roles[database];
      const seen = {
        write: await isAllowed(insert(identity, database)),
        read: await isAllowed(read(identity, database)),
      };
      const should = { write: role === 'readWrite', read: role === 'readWrite' || role === 'read' };
      expect({ identity, database, ...seen }).toEqual({ identity, database, ...should });
    }
  }
});

function storeOf(identity: Identity): Store {
  const store = stores.get(identity);
  if (store === undefined) throw new Error(`no store for ${identity}`);
  return store;
}

function documentsOf(identity: Identity, database: Database) {
  return internalsOf(storeOf(identity)).connection(database).collection<{ _id: string }>(collections[database]);
}

async function insert(identity: Identity, database: Database): Promise<void> {
  const _id = `${identity}-${randomBytes(4).toString('hex')}`;
  await documentsOf(identity, database).insertOne({ _id });
}

async function read(identity: Identity, database: Database): Promise<void> {
  await documentsOf(identity, database).findOne({ _id: 'any' });
}

async function isAllowed(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 13) return false;
    throw error;
  }
}
