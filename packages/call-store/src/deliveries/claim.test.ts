import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryLaterError } from '@pipeline/contracts';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import type { Store } from '../connection/store.ts';
import { holdRow, newRow, openDeliveries, retriedRow, type DeliveryParts } from '../fixtures/deliveries.ts';
import { openStore } from '../fixtures/store.ts';
import { claimDue, type Claimed, type ClaimOptions } from './claim.ts';
import type { EndpointBook } from './endpoint/book.ts';
import type { EndpointVerdict } from './endpoint/outcome.ts';
import { createLeasedRows } from './leased-rows.ts';
import { healDue, healInTurn } from './heal.ts';
import { pause } from './index.ts';

const never = new AbortController().signal;
const DUE = { kind: 'due' } as const;
let server: RunningMongo;
const stores: Store[] = [];
let parts: DeliveryParts;

vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
});
afterAll(async () => {
  for (const store of stores) await store.close();
  await server?.stop();
});
beforeEach(async () => {
  const store = await openStore(server);
  stores.push(store);
  parts = await openDeliveries(store);
});

describe('the places of who claims', () => {
  it('bound what is taken of one endpoint, and what is not used of them comes back', async () => {
    for (let place = 0; place < 5; place += 1) {
      await parts.deliveries.freeze(newRow({ endpointId: 'hung' }), DUE, never);
      await parts.deliveries.freeze(newRow({ endpointId: `well_${place}` }), DUE, never);
    }
    const places = countedPlaces({ hung: 2 });
    const claimed = await claim({ places, limit: 20 });
    expect(claimed.filter(({ row }) => row.endpointId === 'hung')).toHaveLength(2);
    expect(claimed).toHaveLength(7);
    expect(places.kept).toEqual({ hung: 2, well_0: 1, well_1: 1, well_2: 1, well_3: 1, well_4: 1 });
    // It is full here, which is nobody else's limit.
    expect(await claim({ places: countedPlaces({ hung: 0 }), limit: 20 })).toEqual([]);
    expect(await claim({ limit: 20 })).toHaveLength(3);
  });

  it('are given back when an endpoint cannot be read, and what was leased of others is kept', async () => {
    for (const endpointId of ['a', 'b', 'c']) await parts.deliveries.freeze(newRow({ endpointId }), DUE, never);
    const places = countedPlaces({});
    const deps = {
      deliveries: parts.models.deliveries,
      book: failingFor(parts.book, 'b'),
      leased: createLeasedRows(),
    };
    const claimed = await claimDue(deps, { ...OPTIONS, limit: 30, places });
    expect(claimed.map(({ row }) => row.endpointId).toSorted()).toEqual(['a', 'c']);
    expect(places.kept).toEqual({ a: 1, b: 0, c: 1 });
    await expect(claimDue(deps, { ...OPTIONS, places })).rejects.toThrow(RetryLaterError);
    expect(places.kept['b']).toBe(0);
  });
});

describe('what was tried before', () => {
  it('is sent beside a standing backlog of first attempts, in the slots that are kept for it', async () => {
    for (let count = 0; count < 5; count += 1) await retriedRow(parts.deliveries, newRow());
    for (let count = 0; count < 30; count += 1) await parts.deliveries.freeze(newRow(), DUE, never);
    const lanes: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const claimed = await claim({ limit: 32, later: 24 });
      expect(claimed).toHaveLength(8);
      for (const { hold } of claimed) {
        lanes.push(hold.lane);
        await parts.deliveries.settle(hold, { next: { state: 'delivered' }, attempt: null }, never);
      }
    }
    expect(lanes.filter((lane) => lane === 'later')).toHaveLength(5);
  });

  it('is not leased beyond what who claims has places for', async () => {
    for (let count = 0; count < 3; count += 1) await retriedRow(parts.deliveries, newRow());
    for (let count = 0; count < 3; count += 1) await parts.deliveries.freeze(newRow(), DUE, never);
    expect(await claim({ limit: 2, later: 2 })).toHaveLength(2);
    expect(await claim({ limit: 3, later: 0 })).toHaveLength(2);
  });
});

describe('an endpoint that is looked at', () => {
  it('is not looked at again while the share of the lane that waits is full', async () => {
    for (let place = 0; place < 8; place += 1) await retriedRow(parts.deliveries, newRow());
    const claimed = await claim({});
    expect(claimed).toHaveLength(6);
    expect(await dueEndpoints()).toEqual([]);
    await parts.deliveries.settle(claimed[0]!.hold, { next: { state: 'delivered' }, attempt: null }, never);
    expect(await dueEndpoints()).toEqual(['biz_1']);
    expect(await claim({})).toHaveLength(1);
  });

  it('while it is paused tells nothing of what waits, so nothing is forgotten when its cooldown ends meanwhile', async () => {
    await stop({ kind: 'gone', reason: 'endpoint_gone' });
    await parts.deliveries.freeze(newRow(), DUE, never);
    await parts.deliveries.freeze(testRow(), DUE, never);
    // Between the look at the rows and the write the five minutes end, as they may.
    const book: EndpointBook = {
      ...parts.book,
      change: (id, change, signal) =>
        parts.book.change(
          id,
          (endpoint, now) => change({ ...endpoint, state: 'active', reason: null, resumesAt: null }, now),
          signal,
        ),
    };
    const first = await claimDue({ deliveries: parts.models.deliveries, book, leased: createLeasedRows() }, OPTIONS);
    expect(first.map(({ row }) => row.eventType)).toEqual(['webhook.test']);
    expect((await claim({})).map(({ row }) => row.eventType)).toEqual(['call.completed']);
  });

  it('while it is paused is looked at for a test whose process died, and for nothing else', async () => {
    await stop({ kind: 'gone', reason: 'endpoint_gone' });
    await parts.deliveries.freeze(newRow(), DUE, never);
    expect(await dueEndpoints()).toEqual([]);
    await parts.deliveries.freeze(testRow(), DUE, never);
    expect(await claim({ leaseMs: 0 })).toHaveLength(1);
    expect(await dueEndpoints()).toEqual(['biz_1']);
    expect((await claim({})).map(({ row }) => row.eventType)).toEqual(['webhook.test']);
    expect(await dueEndpoints()).toEqual([]);
  });

  it('is looked at for a row that came between the look at its rows and the note of it', async () => {
    await parts.deliveries.freeze(newRow(), DUE, never);
    const late = newRow();
    let isFirst = true;
    // Another process finds noted what this one is about to take back, so it writes nothing.
    const book: EndpointBook = {
      ...parts.book,
      change: async (id, change, signal) => {
        if (isFirst) {
          isFirst = false;
          await parts.deliveries.freeze(late, DUE, signal);
        }
        return parts.book.change(id, change, signal);
      },
    };
    const deps = { deliveries: parts.models.deliveries, book, leased: createLeasedRows() };
    expect(await claimDue(deps, OPTIONS)).toHaveLength(1);
    expect(await dueEndpoints()).toEqual(['biz_1']);
    expect((await claim({})).map(({ row }) => row.webhookId)).toEqual([late.webhookId]);
    expect(await dueEndpoints()).toEqual([]);
  });

  it('that was paused while its rows were read gives none of them out', async () => {
    await parts.deliveries.freeze(newRow(), DUE, never);
    const book: EndpointBook = {
      ...parts.book,
      change: async (id, change, signal) => {
        await parts.book.change(id, pause(), signal);
        return parts.book.change(id, change, signal);
      },
    };
    expect(await claimDue({ deliveries: parts.models.deliveries, book, leased: createLeasedRows() }, OPTIONS)).toEqual(
      [],
    );
    const endpoint = await parts.book.find('biz_1', never);
    expect(endpoint).toMatchObject({ state: 'paused', leases: [], nextDueAt: null });
    expect(endpoint?.waiting.first).not.toBeNull();
  });
});

describe('rows that their endpoints do not know of', () => {
  it('are found behind any number of old ones that are known', async () => {
    for (const endpointId of ['a', 'b', 'c', 'd', 'e']) {
      await parts.deliveries.endpoints.change(endpointId, pause(), never);
      for (let count = 0; count < 3; count += 1) await parts.deliveries.freeze(newRow({ endpointId }), DUE, never);
    }
    await overdue({});
    await forgotten('cc');
    expect(await healDue(parts.models, parts.book, never, 2)).toBe(1);
    expect((await claim({})).map(({ row }) => row.endpointId)).toEqual(['cc']);
    expect(await healDue(parts.models, parts.book, never, 2)).toBe(0);
  });

  it.each([1, 2, 3, 100])('are found in every lane, %i at a look', async (page) => {
    for (const endpointId of ['a', 'b']) {
      for (let count = 0; count < 2; count += 1) {
        await parts.deliveries.freeze(newRow({ endpointId }), DUE, never);
        await retriedRow(parts.deliveries, newRow({ endpointId }));
        await parts.deliveries.freeze({ ...testRow(), endpointId }, DUE, never);
      }
    }
    await overdue({});
    await parts.models.endpoints.collection.deleteMany({});
    expect(await healDue(parts.models, parts.book, never, page)).toBe(6);
    expect(await healDue(parts.models, parts.book, never, page)).toBe(0);
  });

  it('are looked for by one process at a time, and not again before its turn is over', async () => {
    await forgotten('a');
    const heal = () => healInTurn(parts.models, parts.book, never);
    expect((await Promise.all([heal(), heal(), heal(), heal()])).toSorted()).toEqual([0, 0, 0, 1]);
    await forgotten('b');
    expect(await heal()).toBe(0);
    await parts.models.turns.updateOne({ _id: 'heal' }, { $set: { until: new Date(Date.now() - 1_000) } });
    expect(await heal()).toBe(1);
  });
});

it('a row brings the trace of its call to whoever claims it, and a row that has none brings none', async () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await parts.deliveries.freeze(newRow({ endpointId: 'traced', traceparent }), DUE, never);
  await parts.deliveries.freeze(newRow({ endpointId: 'untraced' }), DUE, never);
  const claimed = await claim({});
  expect(claimed.map(({ row }) => [row.endpointId, row.traceparent]).toSorted()).toEqual([
    ['traced', traceparent],
    ['untraced', undefined],
  ]);
});

it('the census tells how long the oldest delivery has waited that could be sent: not one that is paused, nor one in work', async () => {
  const oldest = async () => (await parts.deliveries.endpoints.census(never)).oldestDueSeconds;
  const age = (endpointId: string, seconds: number) =>
    parts.models.endpoints.collection.updateOne(
      { _id: endpointId as never }, // ids are texts here
      { $set: { nextDueAt: new Date(Date.now() - seconds * 1_000) } },
    );
  expect(await oldest()).toBe(0);
  for (const endpointId of ['late', 'later', 'paused'])
    await parts.deliveries.freeze(newRow({ endpointId }), DUE, never);
  await parts.deliveries.endpoints.change('paused', pause(), never);
  await age('late', 4_000);
  await age('later', 8_000);
  expect(await oldest()).toBeGreaterThanOrEqual(8_000);
  expect(await oldest()).toBeLessThan(9_000);
  await claim({});
  expect(await oldest(), 'all that could be sent is in work').toBe(0);
});

const OPTIONS: ClaimOptions = { owner: 'one', leaseMs: 60_000, limit: 10, later: 10, signal: never };

/** Makes rows due for an hour. */
async function overdue(filter: { readonly endpointId?: string }): Promise<void> {
  const nextAttemptAt = new Date(Date.now() - 3_600_000);
  await parts.models.deliveries.collection.updateMany(filter, { $set: { nextAttemptAt } });
}

/** An overdue row whose endpoint is not there. */
async function forgotten(endpointId: string): Promise<void> {
  await parts.deliveries.freeze(newRow({ endpointId }), DUE, never);
  await overdue({ endpointId });
  await parts.models.endpoints.collection.deleteMany({ _id: endpointId as never }); // ids are texts here
}

function claim(more: Partial<ClaimOptions>): Promise<Claimed[]> {
  return parts.deliveries.claimDue({ ...OPTIONS, ...more });
}

async function dueEndpoints(): Promise<string[]> {
  return (await parts.book.listDue(10, never)).endpoints.map(({ id }) => id);
}

/** One attempt with this verdict. */
async function stop(verdict: EndpointVerdict): Promise<void> {
  const hold = await holdRow(parts.deliveries, newRow());
  await parts.deliveries.settle(hold, { next: { state: 'disabled' }, verdict, attempt: null }, never);
}

function testRow() {
  return newRow({
    callSid: null,
    webhookId: `msg_test_${Math.random()}`.replace('.', ''),
    eventType: 'webhook.test',
    lane: 'test',
  });
}

/** Places without end but for those endpoints; `kept` are the ones that were not given back. */
function countedPlaces(limits: Readonly<Record<string, number>>) {
  const kept: Record<string, number> = {};
  return {
    kept,
    keep: (endpointId: string, wanted: number): number => {
      const has = kept[endpointId] ?? 0;
      const count = Math.min(wanted, (limits[endpointId] ?? Infinity) - has);
      kept[endpointId] = has + count;
      return count;
    },
    giveBack: (endpointId: string, count: number): void => {
      kept[endpointId] = (kept[endpointId] ?? 0) - count;
    },
  };
}

function failingFor(book: EndpointBook, endpointId: string): EndpointBook {
  return {
    ...book,
    change: (id, change, signal) =>
      id === endpointId
        ? Promise.reject(new RetryLaterError('the database went away', { deadline: 'none' }))
        : book.change(id, change, signal),
  };
}
