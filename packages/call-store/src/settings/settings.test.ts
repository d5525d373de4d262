import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { businessSettingsSchema, SECRET_SETTINGS, type BusinessSettings, type FullSettings } from '@pipeline/contracts';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import { internalsOf } from '../connection/store.ts';
import { openStore } from '../fixtures/store.ts';
import { createSettingsWriter } from '../settings-secrets/index.ts';
import { createSettingsReader, provisionSettings } from './index.ts';
import { SETTINGS_COLLECTION } from './model.ts';

const never = new AbortController().signal;
let server: RunningMongo;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server?.stop());

test('settings come back as they were saved, by id and by each of their numbers', async () => {
  const { reader, writer, close } = await openSettings();
  const settings = business('biz_1', ['+972501234567', '+972501234568']);
  await writer.save(settings, never);
  expect(await reader.byId('biz_1', never)).toEqual(visible(settings));
  expect(await reader.byPhone('+972501234567', never)).toEqual(visible(settings));
  expect(await reader.byPhone('+972501234568', never)).toEqual(visible(settings));
  expect(await reader.byPhone('+972501234569', never)).toBeNull();
  expect(await reader.byId('biz_2', never)).toBeNull();
  await close();
});

test('how long calls are kept is told of every business; one whose document makes no sense is left out, not guessed', async () => {
  const { reader, writer, documents, close } = await openSettings();
  await writer.save(business('biz_2', [], { retention_days: 30 }), never);
  await writer.save(business('biz_1', []), never);
  for (const [_id, retention_days] of [
    ['biz_3', 0],
    ['biz_4', '1'],
    ['no id', 1],
  ] as const)
    await documents.insertOne({ _id, retention_days });
  expect(await reader.retentions(never)).toEqual([
    { businessId: 'biz_1', days: 365 },
    { businessId: 'biz_2', days: 30 },
  ]);
  await close();
});

test('a save replaces the settings as a whole and keeps when they were made', async () => {
  const { writer, reader, raw, close } = await openSettings();
  await writer.save(business('biz_1', ['+972501234567'], { keywords: ['a'] }), never);
  const { createdAt } = await raw('biz_1');
  await writer.save(business('biz_1', []), never);
  expect(await reader.byId('biz_1', never)).toEqual(visible(business('biz_1', [])));
  expect((await raw('biz_1'))['createdAt']).toEqual(createdAt);
  expect(await reader.byPhone('+972501234567', never)).toBeNull();
  await close();
});

test('a number that was given up is told with its business and the time, once however often it is saved; one that was not is not', async () => {
  const { reader, writer, documents, close } = await openSettings();
  await writer.save(business('biz_1', ['+972501234567', '+972501234568', '+972501234569']), never);
  expect(await reader.formerNumbers(never)).toEqual([]);
  for (let time = 0; time < 3; time += 1) await writer.save(business('biz_1', ['+972501234568']), never);
  const given = await reader.formerNumbers(never);
  expect(given.map(({ number, businessId }) => [number, businessId]).toSorted()).toEqual([
    ['+972501234567', 'biz_1'],
    ['+972501234569', 'biz_1'],
  ]);
  for (const { until } of given) expect(Math.abs(until - Date.now())).toBeLessThan(60_000);
  expect(await reader.byId('biz_1', never), 'it is no setting').toEqual(visible(business('biz_1', ['+972501234568'])));

  const old = { number: '+972501234560', until: new Date(Date.now() - 46 * 86_400_000) };
  await documents.updateOne({ _id: 'biz_1' }, { $set: { former_numbers: [old] } });
  await writer.save(business('biz_1', []), never);
  expect(
    (await reader.formerNumbers(never)).map(({ number }) => number),
    'forgotten after 45 days',
  ).toEqual(['+972501234568']);
  await close();
});

test('a number that another business has is refused with the name of that business, and nothing changes', async () => {
  const { writer, reader, close } = await openSettings();
  await writer.save(business('biz_1', ['+972501234567']), never);
  const claim = writer.save(business('biz_2', ['+972501234560', '+972501234567']), never);
  await expect(claim).rejects.toMatchObject({ name: 'StoreError', code: 'PHONE_TAKEN' });
  await expect(claim).rejects.toThrow('biz_1');
  await expect(claim).rejects.not.toThrow('+972');
  expect(await reader.byId('biz_2', never)).toBeNull();
  expect((await reader.byPhone('+972501234567', never))?.id).toBe('biz_1');
  await close();
});

test('many businesses may have no number, and many saves of a new one leave one', async () => {
  const { writer, reader, close } = await openSettings();
  const saves = ['biz_1', 'biz_2', 'biz_3', 'biz_3', 'biz_3', 'biz_3'].map((id) =>
    writer.save(business(id, []), never),
  );
  await Promise.all(saves);
  for (const id of ['biz_1', 'biz_2', 'biz_3']) expect((await reader.byId(id, never))?.id).toBe(id);
  await close();
});

test('only ids and numbers reach a filter: operator objects are refused, callers without a number belong to nobody', async () => {
  const { writer, reader, close } = await openSettings();
  await writer.save(business('biz_1', ['+972501234567']), never);
  const operator = { $ne: null } as unknown as string; // what a careless caller could pass
  await expect(reader.byId(operator, never)).rejects.toThrow(TypeError);
  expect(await reader.byPhone(operator, never)).toBeNull();
  expect(await reader.byPhone('anonymous', never)).toBeNull();
  await expect(reader.byId('a.b', never)).rejects.toThrow('businessId');
  await close();
});

test('keys of a newer version do not stop a reader, and a value that does not fit is named and not shown', async () => {
  const { writer, reader, documents, close } = await openSettings();
  await writer.save(business('biz_1', []), never);
  await documents.updateOne({}, { $set: { brand_new: 1, 'agent.mood': 'happy', 'summary.style': 'x' } });
  expect(await reader.byId('biz_1', never)).toEqual(visible(business('biz_1', [])));
  await documents.updateOne({}, { $set: { 'agent.greeting': { secret: 'canary' } } });
  const read = reader.byId('biz_1', never);
  await expect(read).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
  await expect(read).rejects.toThrow('agent.greeting');
  await expect(read).rejects.not.toThrow('canary');
  await close();
});

async function openSettings() {
  const store = await openStore(server);
  await provisionSettings(store, never);
  const documents = internalsOf(store)
    .connection('settings')
    .collection<{ _id: string } & Record<string, unknown>>(SETTINGS_COLLECTION);
  return {
    reader: createSettingsReader(store),
    writer: createSettingsWriter(store, [{ id: 'k1', key: randomBytes(32) }]),
    documents,
    raw: async (id: string) => ({ ...(await documents.find().toArray()).find((found) => found._id === id) }),
    close: store.close,
  };
}

function business(id: string, phones: readonly string[], more: Partial<FullSettings> = {}): FullSettings {
  return businessSettingsSchema.parse({
    id,
    name: 'Test',
    phone_numbers: [...phones],
    agent: { instructions: '$name', greeting: 'שלום' },
    ...more,
  });
}

/** What a reader without keys may see of settings. */
function visible(settings: FullSettings): BusinessSettings {
  const secret: readonly string[] = SECRET_SETTINGS;
  // Exactly the keys that the type of the visible settings leaves out.
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !secret.includes(key))) as BusinessSettings;
}
