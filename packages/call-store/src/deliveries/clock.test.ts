import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startMongo, type RunningMongo } from '@pipeline/sandbox/servers';
import type { Store } from '../connection/store.ts';
import { newCallSid } from '../fixtures/call-log.ts';
import { openStore } from '../fixtures/store.ts';
import { createDeliveryStore, DEFAULT_LIMITS, provisionDeliveries, type DeliveryStore } from './index.ts';

const never = new AbortController().signal;
const LEASE_MS = 60_000;
const RETRY_MS = 300_000;
let server: RunningMongo;
let store: Store;
let deliveries: DeliveryStore;

// The slowest of the servers, on a machine that does other things, takes ten times as long as mongod.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  server = await startMongo();
  store = await openStore(server);
  await provisionDeliveries(store, never);
  deliveries = createDeliveryStore(store);
});
afterEach(() => void vi.useRealTimers());
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

/** Sets the clock of this worker and leaves its timers alone. */
function setClock(wrongBy: number): void {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + wrongBy });
}

const claim = (owner: string) => deliveries.claimDue({ owner, leaseMs: LEASE_MS, limit: 10, later: 10, signal: never });

test.each([
  ['an hour fast', 3_600_000],
  ['an hour slow', -3_600_000],
])(
  'B96 F75 a worker whose clock is %s takes no lease of another, retries nothing early and leaves nothing late',
  async (_name, wrongBy) => {
    const callSid = newCallSid();
    const trueNow = Date.now();
    const row = {
      webhookId: `msg_${callSid}_completed`,
      endpointId: callSid,
      businessId: 'biz_1',
      callSid,
      revision: 1,
    };
    const frozen = await deliveries.freeze(
      { ...row, eventType: 'call.completed', body: Buffer.from('{}') },
      { kind: 'send', lease: { owner: 'right', leaseMs: LEASE_MS }, limits: DEFAULT_LIMITS },
      never,
    );
    if (frozen.kind !== 'held') throw new Error('not held');
    setClock(wrongBy);
    expect(await claim('wrong'), 'the lease still holds').toEqual([]);
    const settled = await deliveries.settle(
      frozen.hold,
      { next: { state: 'pending', retryInMs: RETRY_MS }, attempt: null },
      never,
    );
    if (settled.kind === 'lost' || settled.row.nextAttemptAt === null) throw new Error('not settled');
    const dueIn = settled.row.nextAttemptAt.getTime() - trueNow;
    expect(dueIn).toBeGreaterThan(RETRY_MS - 1_000);
    expect(dueIn).toBeLessThan(RETRY_MS + 60_000);
    expect(await claim('wrong'), 'it is not due yet').toEqual([]);
  },
);
