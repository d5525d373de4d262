import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { businessSettingsSchema, type FullSettings } from '@pipeline/contracts';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { internalsOf } from '../connection/store.ts';
import { openStore } from '../fixtures/store.ts';
import { createSettingsReader, provisionSettings } from '../settings/index.ts';
import { SETTINGS_COLLECTION } from '../settings/model.ts';
import {
  createSealedSettingsReader,
  createSecretSettingsReader,
  createSettingsWriter,
  rekeySettings,
  type Rekeyed,
  type SettingsKey,
} from './index.ts';

const never = new AbortController().signal;
const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const keyOf = (id: string): SettingsKey => ({ id, key: randomBytes(32) });
const OLD = keyOf('old');
const NEW = keyOf('new');
const SECRETS = {
  webhook_secrets: [secretOf(1), { secret: secretOf(2), expiresAt: '2030-01-01T00:00:00Z' }],
  webhook_headers: { Authorization: 'Bearer canary' },
};
let server: RunningMongo;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server?.stop());

test('secrets are sealed in the database, opened by who has a key, and absent for every other reader', async () => {
  const { store, text, close } = await open();
  const settings = business('biz_1', SECRETS);
  await createSettingsWriter(store, [OLD]).save(settings, never);
  const stored = await text('biz_1');
  for (const secret of [secretOf(1), secretOf(2), 'canary', 'whsec_']) expect(stored).not.toContain(secret);
  expect(stored.match(/sealed1:old:/g)).toHaveLength(3);
  expect(await createSecretSettingsReader(store, [NEW, OLD]).byId('biz_1', never)).toEqual(settings);
  const seen = await createSettingsReader(store).byId('biz_1', never);
  expect(seen).toMatchObject({ id: 'biz_1', inbound_webhook_url: 'https://hooks.example/in' });
  expect(Object.keys(seen ?? {}).filter((key) => Object.hasOwn(SECRETS, key))).toEqual([]);
  await expect(createSecretSettingsReader(store, [NEW]).byId('biz_1', never)).rejects.toMatchObject({
    code: 'SECRET_UNREADABLE',
  });
  await close();
});

test('sealed secrets are stored again as they are, and a save that somebody overtook stores nothing', async () => {
  const { store, text, close } = await open();
  const writer = createSettingsWriter(store, [NEW]);
  await createSettingsWriter(store, [OLD]).save(business('biz_1', SECRETS), never);
  const reader = createSealedSettingsReader(store);
  const first = await reader.byId('biz_1', never);
  if (first === null) throw new Error('not stored');
  await writer.save({ ...first.settings, name: 'Renamed' }, never, first.updatedAt);
  expect(await text('biz_1')).toContain('sealed1:old:');
  await expect.poll(() => reader.byId('biz_1', never)).not.toMatchObject({ updatedAt: first.updatedAt });
  const late = writer.save({ ...first.settings, name: 'Late' }, never, first.updatedAt);
  await expect(late).rejects.toMatchObject({ code: 'CHANGED_MEANWHILE' });
  expect((await reader.byId('biz_1', never))?.settings.name).toBe('Renamed');
  await close();
});

test('secrets that an older version stored plain are readable, hidden from stages, and sealed by the next save or rekey', async () => {
  const { store, documents, text, close } = await open();
  const { id: _id, ...rest } = business('biz_1', SECRETS);
  await documents.insertOne({ _id: 'biz_1' as never, ...rest, updatedAt: new Date(), createdAt: new Date() });
  const settings = business('biz_1', SECRETS);
  expect(await createSecretSettingsReader(store, [NEW]).byId('biz_1', never)).toEqual(settings);
  expect(JSON.stringify(await createSettingsReader(store).byId('biz_1', never))).not.toContain('canary');
  expect(await rekeyed(store, [NEW])).toEqual([{ businessId: 'biz_1', kind: 'sealed' }]);
  expect(await text('biz_1')).not.toContain('canary');
  expect(await createSecretSettingsReader(store, [NEW]).byId('biz_1', never)).toEqual(settings);
  await close();
});

test('a rotation of the key: the new one first, rekey, the old one out, and nothing is lost at any step', async () => {
  const { store, text, close } = await open();
  for (const id of ['biz_1', 'biz_2']) await createSettingsWriter(store, [OLD]).save(business(id, SECRETS), never);
  await createSettingsWriter(store, [keyOf('lost')]).save(business('biz_3', SECRETS), never);
  const round = await rekeyed(store, [NEW, OLD]);
  expect(round).toMatchObject([{ kind: 'sealed' }, { kind: 'sealed' }, { businessId: 'biz_3', kind: 'failed' }]);
  expect(JSON.stringify(round)).toContain('the key lost');
  expect(await text('biz_3')).toContain('sealed1:lost:');
  expect(await rekeyed(store, [NEW, OLD])).toMatchObject([{ kind: 'unchanged' }, { kind: 'unchanged' }, {}]);
  for (const id of ['biz_1', 'biz_2']) {
    expect(await createSecretSettingsReader(store, [NEW]).byId(id, never)).toEqual(business(id, SECRETS));
  }
  await close();
});

async function rekeyed(store: Awaited<ReturnType<typeof openStore>>, keys: readonly SettingsKey[]) {
  const all: Rekeyed[] = [];
  for await (const one of rekeySettings(store, keys, never)) all.push(one);
  return all;
}

async function open() {
  const store = await openStore(server);
  await provisionSettings(store, never);
  const documents = internalsOf(store).connection('settings').collection(SETTINGS_COLLECTION);
  return {
    store,
    documents,
    text: async (id: string): Promise<string> =>
      JSON.stringify((await documents.find().toArray()).find((found) => String(found._id) === id)),
    close: store.close,
  };
}

function business(id: string, secrets: Partial<FullSettings>): FullSettings {
  return businessSettingsSchema.parse({
    id,
    name: 'Test',
    agent: { instructions: 'Help.', greeting: 'שלום' },
    inbound_webhook_url: 'https://hooks.example/in',
    ...secrets,
  });
}
