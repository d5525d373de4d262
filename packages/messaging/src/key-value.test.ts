import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BrokerError } from './broker-error.ts';
import { openRig, type Rig } from './fixtures/rig.ts';
import { MAX_VALUE_BYTES, openBucket, type KeyValue } from './key-value.ts';

const schema = z.object({ owner: z.string() });
type Owned = z.infer<typeof schema>;

let server: RunningNats;
let rig: Rig;
let entries: KeyValue<Owned>;
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url);
  await rig.provision();
  entries = openBucket(rig.operator, { bucket: 'GATEWAY_CALLS', schema, deadlineMs: 5_000 });
});
afterEach(() => rig.close());

describe('a key-value bucket', () => {
  it('gives back what was written, with the time of the broker, and null for what is not there', async () => {
    expect(await entries.get('call.CA1')).toBeNull();
    const revision = await entries.put('call.CA1', { owner: 'תל אביב' });
    const entry = await entries.get('call.CA1');
    expect(entry).toMatchObject({ value: { owner: 'תל אביב' }, revision });
    expect(Math.abs((entry?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('lets one of twenty create a key, and one of twenty change it from the same revision', async () => {
    const rivals = Array.from({ length: 20 }, (_, index) => ({ owner: `pod-${index}` }));
    const created = await Promise.all(rivals.map((rival) => entries.create('call.CA1', rival)));
    const [revision, ...others] = created.filter((each) => each !== null);
    expect(others).toEqual([]);
    const changed = await Promise.all(rivals.map((rival) => entries.update('call.CA1', rival, revision ?? -1)));
    expect(changed.filter((each) => each !== null)).toHaveLength(1);
    expect((await entries.get('call.CA1'))?.value).toEqual(rivals[changed.findIndex((each) => each !== null)]);
  });

  it('holds nothing under a deleted key, which can be created again; a late deletion by revision does nothing', async () => {
    const first = await entries.put('call.CA1', { owner: 'a' });
    expect(await entries.delete('call.CA1', first)).toBe(true);
    expect(await entries.get('call.CA1')).toBeNull();
    expect(await entries.update('call.CA1', { owner: 'late' }, first)).toBeNull();
    const second = await entries.create('call.CA1', { owner: 'b' });
    expect(second).toBeGreaterThan(first);
    expect(await entries.delete('call.CA1', first)).toBe(false);
    expect((await entries.get('call.CA1'))?.value.owner).toBe('b');
  });

  it('shows a watcher what is there, each change and a deletion, until it is told to stop', async () => {
    const stop = new AbortController();
    const seen: (string | null)[] = [];
    const watching = (async () => {
      for await (const entry of entries.watch('call.CA1', stop.signal, { pollMs: 5 })) {
        seen.push(entry?.value.owner ?? null);
        if (seen.length === 1) await entries.put('call.CA1', { owner: 'a' });
        if (seen.length === 2) await entries.put('call.CA1', { owner: 'b' });
        if (seen.length === 3) await entries.delete('call.CA1');
        if (seen.length === 4) stop.abort();
      }
    })();
    await watching;
    expect(seen).toEqual([null, 'a', 'b', null]);
  });

  it('is readable by the tools of the broker', async () => {
    const store = await rig.operator.js.views.kv('GATEWAY_CALLS', { bindOnly: true });
    await entries.put('call.CA1', { owner: 'a' });
    expect((await store.get('call.CA1'))?.json()).toEqual({ owner: 'a' });
    await store.put('call.CA1', JSON.stringify({ owner: 'b' }));
    expect((await entries.get('call.CA1'))?.value).toEqual({ owner: 'b' });
    await store.delete('call.CA1');
    expect(await entries.get('call.CA1')).toBeNull();
  });

  it.each(['', '*', '>', 'call.*', 'a b', 'call..CA1', 'call.CA1\r\n', `call.${'x'.repeat(200)}`])(
    'refuses %j as a key, because it would read or write elsewhere',
    async (key) => {
      await expect(entries.get(key)).rejects.toThrow(TypeError);
      await expect(entries.put(key, { owner: 'a' })).rejects.toThrow(TypeError);
    },
  );

  it('refuses a value above its bound, and one that does not have its form', async () => {
    await expect(entries.put('call.CA1', { owner: 'x'.repeat(MAX_VALUE_BYTES) })).rejects.toThrow(BrokerError);
    await rig.operator.js.publish('$KV.GATEWAY_CALLS.call.CA1', '{"owner":1}');
    await expect(entries.get('call.CA1')).rejects.toThrow('GATEWAY_CALLS under call does not have its form');
    await rig.operator.js.publish('$KV.GATEWAY_CALLS.call.CA1', 'junk');
    await expect(entries.get('call.CA1')).rejects.toThrow(BrokerError);
  });

  it('says how much of its room is taken', async () => {
    const before = await entries.filled();
    const { config } = await rig.operator.jsm.streams.info('KV_GATEWAY_CALLS');
    await rig.operator.js.publish('$KV.GATEWAY_CALLS.fill.1', 'x'.repeat(10_000));
    const taken = (await entries.filled()) - before;
    expect(taken * config.max_bytes).toBeGreaterThan(10_000);
    expect(taken * config.max_bytes).toBeLessThan(10_200);
    await entries.delete('fill.1');
  });

  it('does not take a missing bucket for an empty one', async () => {
    const missing = openBucket(rig.operator, { bucket: 'NOT_MADE', schema, deadlineMs: 2_000 });
    await expect(missing.get('call.CA1')).rejects.toThrow(BrokerError);
    await expect(missing.put('call.CA1', { owner: 'a' })).rejects.toThrow(BrokerError);
    await expect(missing.filled()).rejects.toThrow(BrokerError);
  });

  it('forgets calls after six hours, gateways after one, and never what the reconciler remembers', async () => {
    const ages = await Promise.all(
      ['KV_GATEWAY_CALLS', 'KV_GATEWAY_BEATS', 'KV_RECONCILER'].map(
        async (name) => (await rig.operator.jsm.streams.info(name)).config,
      ),
    );
    expect(ages.map((config) => config.max_age / 3_600e9)).toEqual([6, 1, 0]);
  });
});

describe('a key-value bucket whose server is away', () => {
  it('fails within its deadline with a sentence, and works again when the server is back', async () => {
    const own = await startNats();
    const other = await openRig(own.url);
    try {
      await other.provision();
      const bucket = openBucket(other.operator, { bucket: 'GATEWAY_CALLS', schema, deadlineMs: 500 });
      await bucket.put('call.CA1', { owner: 'a' });
      const stop = new AbortController();
      const watching = bucket.watch('call.CA1', stop.signal, { pollMs: 20 });
      expect((await watching.next()).value).toMatchObject({ value: { owner: 'a' } });
      await own.kill();
      const before = performance.now();
      await expect(bucket.get('call.CA1')).rejects.toThrow(BrokerError);
      await expect(bucket.put('call.CA1', { owner: 'b' })).rejects.toThrow(BrokerError);
      expect(performance.now() - before).toBeLessThan(15_000);
      const next = watching.next();
      await own.restart();
      await expect.poll(() => bucket.put('call.CA1', { owner: 'c' }).catch(() => 0), { timeout: 20_000 }).not.toBe(0);
      expect((await next).value).toMatchObject({ value: { owner: 'c' } });
      stop.abort();
    } finally {
      await other.close();
      await own.stop();
    }
  });
});
