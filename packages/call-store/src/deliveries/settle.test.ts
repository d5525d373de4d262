import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryLaterError } from '@pipeline/contracts';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import type { Store } from '../connection/store.ts';
import { holdRow, newRow, openDeliveries, type DeliveryParts } from '../fixtures/deliveries.ts';
import { openStore } from '../fixtures/store.ts';
import type { EndpointBook } from './endpoint/book.ts';
import type { EndpointVerdict } from './endpoint/outcome.ts';
import type { AttemptOutcome } from './index.ts';
import { createLeasedRows } from './leased-rows.ts';
import type { DeliveryModels } from './model.ts';
import { createOperatorDeliveries } from './operator.ts';
import type { Hold } from './row.ts';
import { settle, type SettleDeps } from './settle.ts';

const never = new AbortController().signal;
let server: RunningMongo;
let store: Store;
let parts: DeliveryParts;
let tests = 0;
/** Each test has an endpoint of its own. */
let endpointId = '';

vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
  store = await openStore(server);
  parts = await openDeliveries(store);
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});
beforeEach(() => {
  endpointId = `biz_${(tests += 1)}`;
});

describe('a store that fails between the row and its endpoint', () => {
  it.each<[string, EndpointVerdict, object]>([
    ['410', { kind: 'gone', reason: 'endpoint_gone' }, { state: 'disabled', reason: 'endpoint_gone' }],
    ['429 with Retry-After', { kind: 'throttling', retryAfterMs: 3_600_000 }, { throttle: { factor: 0.5 } }],
    ['a failure that counts towards the breaker', { kind: 'unanswered', retryAfterMs: null }, { unanswered: 1 }],
  ])('loses no verdict of the attempt: %s is heard when it is asked again, once', async (_what, verdict, expected) => {
    const hold = await held();
    const deps = depsOf({ book: failing(parts.book, 2, 'before') });
    const outcome = outcomeOf(verdict);
    await expect(settle(deps, hold, outcome, never)).rejects.toThrow(RetryLaterError);
    await expect(settle(deps, hold, outcome, never)).rejects.toThrow(RetryLaterError);
    expect(await settle(deps, hold, outcome, never)).toMatchObject({ kind: 'settled', row: { attempts: 1 } });
    const endpoint = await parts.book.find(endpointId, never);
    expect(endpoint).toMatchObject({
      ...expected,
      leases: [],
      failures: verdict.kind === 'gone' ? null : { count: 1 },
    });
    expect(await parts.deliveries.listAttempts(hold.rowId, never)).toHaveLength(1);
  });

  it('makes the next attempt known to the endpoint when it is asked again', async () => {
    const hold = await held();
    const deps = depsOf({ book: failing(parts.book, 1, 'before') });
    const outcome = outcomeOf({ kind: 'unanswered', retryAfterMs: null });
    await expect(settle(deps, hold, outcome, never)).rejects.toThrow(RetryLaterError);
    const settled = await settle(deps, hold, outcome, never);
    if (settled.kind === 'lost') throw new Error('lost');
    expect((await parts.book.find(endpointId, never))?.nextDueAt).toEqual(settled.row.nextAttemptAt);
  });
});

describe('an answer of the database that is lost', () => {
  it('after the endpoint was written counts the attempt once', async () => {
    const hold = await held();
    const deps = depsOf({ book: failing(parts.book, 1, 'after') });
    const outcome = outcomeOf({ kind: 'throttling', retryAfterMs: 60_000 });
    await expect(settle(deps, hold, outcome, never)).rejects.toThrow(RetryLaterError);
    expect(await settle(deps, hold, outcome, never)).toMatchObject({ kind: 'settled' });
    expect(await parts.book.find(endpointId, never)).toMatchObject({
      throttle: { factor: 0.5 },
      failures: { count: 1 },
    });
  });

  it('after the row was written is no lost lease: it is settled, logged and heard of', async () => {
    const hold = await held();
    const deps = depsOf({ deliveries: deafOnce(parts.models.deliveries) });
    const outcome = outcomeOf({ kind: 'gone', reason: 'endpoint_gone' });
    await expect(settle(deps, hold, outcome, never)).rejects.toThrow(RetryLaterError);
    expect(await settle(deps, hold, outcome, never)).toMatchObject({ kind: 'settled', row: { state: 'pending' } });
    expect(await parts.book.find(endpointId, never)).toMatchObject({ state: 'disabled' });
    expect(await parts.deliveries.listAttempts(hold.rowId, never)).toHaveLength(1);
  });
});

it('F86: what a receiver answered to an attempt whose lease was over is heard of by its endpoint, and its row left alone', async () => {
  const hold = await held(0);
  const claim = { owner: 'two', leaseMs: 60_000, limit: 1, later: 1, signal: never };
  const [taken] = await parts.deliveries.claimDue(claim);
  expect(taken?.row.id).toBe(hold.rowId);
  const outcome = outcomeOf({ kind: 'gone', reason: 'endpoint_gone' });
  expect(await settle(depsOf({}), hold, outcome, never)).toEqual({ kind: 'lost' });
  expect(await parts.book.find(endpointId, never)).toMatchObject({ state: 'disabled' });
  expect(await parts.deliveries.find(taken?.row.webhookId ?? '', never)).toEqual([taken?.row]);
  await parts.deliveries.settle(taken!.hold, { next: { state: 'delivered' }, attempt: null }, never);
});

it('failures of our own in a row are counted since the first of them; any other outcome and a replay end the row', async () => {
  const row = newRow({ endpointId, businessId: endpointId });
  const ours: AttemptOutcome = {
    next: { state: 'pending', retryInMs: 0 },
    charged: false,
    isOurs: true,
    attempt: null,
  };
  const theirs: AttemptOutcome = { next: { state: 'pending', retryInMs: 0 }, attempt: null };
  let hold = await holdRow(parts.deliveries, row);
  const settleAndClaim = async (outcome: AttemptOutcome) => {
    const settled = await parts.deliveries.settle(hold, outcome, never);
    if (settled.kind === 'lost') throw new Error('lost');
    const claim = { owner: 'two', leaseMs: 60_000, limit: 1, later: 1, signal: never };
    const claimed = await vi.waitFor(async () => {
      const [first] = await parts.deliveries.claimDue(claim);
      if (first === undefined) throw new Error('not due yet');
      return first;
    }, 20_000);
    ({ hold } = claimed);
    return { failedAt: settled.row.updatedAt, ownFailures: claimed.row.ownFailures };
  };
  const first = await settleAndClaim(ours);
  expect(first.ownFailures).toEqual({ since: first.failedAt, count: 1 });
  expect((await settleAndClaim(ours)).ownFailures).toEqual({ since: first.failedAt, count: 2 });
  expect((await settleAndClaim({ ...ours, charged: true })).ownFailures).toEqual({ since: first.failedAt, count: 3 });
  expect((await settleAndClaim(theirs)).ownFailures).toBeNull();
  const again = await settleAndClaim(ours);
  expect(again.ownFailures).toEqual({ since: again.failedAt, count: 1 });
  await parts.deliveries.release(hold, never);
  expect((await parts.deliveries.find(row.webhookId, never))[0]?.ownFailures).toEqual(again.ownFailures);
  const operator = createOperatorDeliveries(store);
  expect(await operator.replay(hold.rowId, 'any', never)).toMatchObject({ kind: 'due', row: { ownFailures: null } });
});

function depsOf(other: Partial<Pick<SettleDeps, 'book' | 'deliveries'>>): SettleDeps {
  const { models, book, log } = parts;
  return { deliveries: models.deliveries, book, log, unfinished: new WeakMap(), leased: createLeasedRows(), ...other };
}

function held(leaseMs = 60_000): Promise<Hold> {
  return holdRow(parts.deliveries, newRow({ endpointId, businessId: endpointId }), leaseMs);
}

/** A book whose first writes break off: before they reach the database, or before their answer comes back. */
function failing(book: EndpointBook, times: number, when: 'before' | 'after'): EndpointBook {
  let left = times;
  return {
    ...book,
    change: async (id, change, signal) => {
      if (left <= 0) return book.change(id, change, signal);
      left -= 1;
      if (when === 'after') await book.change(id, change, signal);
      throw new RetryLaterError('the database went away', { deadline: 'none' });
    },
  };
}

/** A collection whose first update is done, and its answer lost. */
function deafOnce(model: DeliveryModels['deliveries']): DeliveryModels['deliveries'] {
  let isDeaf = true;
  return new Proxy(model, {
    get: (target, key) => {
      if (key !== 'updateOne' || !isDeaf) return Reflect.get(target, key) as unknown;
      isDeaf = false;
      return (...args: Parameters<typeof target.updateOne>) => ({
        exec: async () => {
          await target.updateOne(...args).exec();
          throw new RetryLaterError('the database went away', { deadline: 'none' });
        },
      });
    },
  });
}

function outcomeOf(verdict: EndpointVerdict): AttemptOutcome {
  return {
    next: { state: 'pending', retryInMs: 300_000 },
    verdict,
    attempt: {
      trigger: 'schedule',
      worker: 'test/1',
      host: '127.0.0.1:8080',
      address: '127.0.0.1',
      phases: { dns: null, connect: 1, tls: null, firstByte: 2, total: 3 },
      httpStatus: 503,
      code: 'http_5xx',
      requestHeaders: {},
      responseHeaders: {},
      responseExcerpt: null,
      traceId: null,
    },
  };
}
