import type { AttemptOutcome, Hold, Lane } from '@pipeline/call-store/deliveries';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTestLogger, type LogLine } from '../fixtures/log.ts';
import type { AttemptReport, OpenDelivery } from './attempt.ts';
import type { HeldDelivery } from './hands.ts';
import { createDeliveryLoop, type LoopDeps, type LoopOptions } from './loop.ts';

/** Answered at once. */
const DELIVERED: AttemptReport = {
  code: 'delivered',
  tookMs: 1,
  outcome: { next: { state: 'delivered' }, attempt: null },
};

afterEach(() => vi.useRealTimers());

describe('the delivery loop', () => {
  it('sends what it accepts at once, without waiting for a poll, and settles it', async () => {
    const world = createWorld({ pollMs: 3_600_000 });
    world.accept('a');
    await expect.poll(() => world.settled).toEqual([['a', 'delivered']]);
    expect(world.claims).toBe(0);
    await world.loop.stop();
  });

  it('claims what is due until there is nothing more, then waits for the poll', async () => {
    const world = createWorld({ pollMs: 3_600_000, slots: 2 });
    world.due.push('a', 'b', 'c', 'd', 'e');
    world.loop.start();
    await expect.poll(() => world.settled.map(([id]) => id)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await world.loop.stop();
  });

  it('finds what becomes due later', async () => {
    const world = createWorld({ pollMs: 10 });
    world.loop.start();
    await expect.poll(() => world.claims).toBeGreaterThan(1);
    world.due.push('late');
    await expect.poll(() => world.settled).toEqual([['late', 'delivered']]);
    await world.loop.stop();
  });

  it('D2: never sends more than its slots: who finds no place keeps its delivery for a look, which comes once one is free', async () => {
    const world = createWorld({ slots: 2, pollMs: 3_600_000 });
    world.loop.start();
    await expect.poll(() => world.claims).toBe(1);
    await world.makeQuick();
    const gate = world.hold();
    for (const id of ['a', 'b', 'c']) world.accept(id);
    expect(world.sending).toEqual(['a', 'b']);
    expect(world.refused).toEqual(['c']);
    world.due.push('c');
    gate.resolve();
    await expect.poll(() => world.settled.map(([id]) => id)).toEqual(['first', 'a', 'b', 'c']);
    expect(world.most).toBe(2);
    await world.loop.stop();
  });

  it('D2: a place that was kept and given back is free again', async () => {
    const world = createWorld({ slots: 1, pollMs: 3_600_000 });
    for (let count = 0; count < 10; count += 1) world.loop.keepPlace('biz_123')?.giveBack();
    world.accept('a');
    await expect.poll(() => world.settled).toEqual([['a', 'delivered']]);
    await world.loop.stop();
  });

  it('F70 F73: four endpoints that hang hold no slot for longer than a second, so another one is sent to', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const world = createWorld({ slots: 4, pollMs: 10 });
    const gate = world.hold((id) => id.startsWith('hung'));
    world.due.push('hung-1@hung_1', 'hung-2@hung_2', 'hung-3@hung_3', 'hung-4@hung_4', 'well@well');
    world.loop.start();
    // Half of the slots are for endpoints that have answered; nobody has so far.
    await expect.poll(() => world.sending).toHaveLength(2);
    vi.advanceTimersByTime(1_001);
    await expect.poll(() => world.sending).toHaveLength(4);
    expect(world.settled).toEqual([]);
    vi.advanceTimersByTime(1_001);
    await expect.poll(() => world.settled).toEqual([['well@well', 'delivered']]);
    gate.resolve();
    await expect.poll(() => world.settled).toHaveLength(5);
    await world.loop.stop();
  });

  it('D2: what was tried before is asked for only as long as a quarter of the slots stays for first attempts', async () => {
    const world = createWorld({ slots: 4, pollMs: 10 });
    await world.makeQuick();
    const gate = world.hold((id) => id.startsWith('retry'));
    world.later.push('retry-1', 'retry-2', 'retry-3', 'retry-4');
    world.loop.start();
    await expect.poll(() => world.sending).toEqual(['retry-1', 'retry-2', 'retry-3']);
    world.accept('fresh');
    await expect.poll(() => world.settled).toContainEqual(['fresh', 'delivered']);
    expect(world.later).toEqual(['retry-4']);
    gate.resolve();
    await expect.poll(() => world.settled.map(([id]) => id)).toContain('retry-4');
    await world.loop.stop();
  });

  it.each([1, 2, 3])('D2: of slots numbering %d one at least is there for what was tried before', async (slots) => {
    const world = createWorld({ slots, pollMs: 3_600_000 });
    world.later.push('retry-1', 'retry-2', 'retry-3');
    world.loop.start();
    const ids = ['retry-1', 'retry-2', 'retry-3'];
    await vi.waitFor(() => expect(world.settled.map(([id]) => id)).toEqual(ids), 10_000);
    await world.loop.stop();
  });

  it('D2: at a single slot first attempts and retries take turns, whichever of them have waited longer', async () => {
    const world = createWorld({ slots: 1, pollMs: 3_600_000 });
    world.laterIsOlder = true;
    world.later.push('retry-1', 'retry-2', 'retry-3', 'retry-4');
    world.due.push('fresh-1', 'fresh-2');
    world.loop.start();
    const order = ['retry-1', 'fresh-1', 'retry-2', 'fresh-2', 'retry-3', 'retry-4'];
    await vi.waitFor(() => expect(world.settled.map(([id]) => id)).toEqual(order), 10_000);
    expect(world.most).toBe(1);
    await world.loop.stop();
  });

  it('D1: does not begin a request that could outlive its lease', async () => {
    const world = createWorld({ leaseMs: 20_000, totalTimeoutMs: 15_000 });
    world.loop.keepPlace('biz_123')?.use(heldOf('stale'), performance.now() - 5_001);
    await expect.poll(() => world.released).toEqual(['stale']);
    expect(world.sending).toEqual([]);
    await world.loop.stop();
  });

  it('D1: gives back a delivery whose settings took so long that the request could outlive its lease', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const world = createWorld({ leaseMs: 20_000, totalTimeoutMs: 15_000 });
    world.beforeSending = async () => void vi.advanceTimersByTime(5_001);
    world.accept('late');
    await expect.poll(() => world.released).toEqual(['late']);
    world.beforeSending = async () => void vi.advanceTimersByTime(4_000);
    world.accept('in time');
    await expect.poll(() => world.settled).toEqual([['in time', 'delivered']]);
    expect(world.sending).toEqual(['in time']);
    await world.loop.stop();
  });

  it('D3: tries again to store an outcome that the database did not take', async () => {
    const world = createWorld({});
    world.failSettle = 2;
    world.accept('a');
    await expect.poll(() => world.settled).toEqual([['a', 'delivered']]);
    expect(world.sending).toEqual(['a']);
    await world.loop.stop();
  });

  it('D3: gives an outcome up when its lease is over, says so, and goes on', async () => {
    const world = createWorld({ leaseMs: 100, totalTimeoutMs: 50 });
    world.failSettle = 1_000;
    world.accept('a');
    await expect.poll(() => world.lines.some((line) => line.level === 'error')).toBe(true);
    world.failSettle = 0;
    world.accept('b');
    await expect.poll(() => world.settled).toEqual([['b', 'delivered']]);
    await world.loop.stop();
  });

  it('says when a lease was lost', async () => {
    const world = createWorld({});
    world.answer = 'lost';
    world.accept('a');
    await expect.poll(() => world.lines).toMatchObject([{ level: 'warn', fields: { webhookId: 'a' } }]);
    await world.loop.stop();
  });

  it('D4: after a stop nothing begins, what is being sent is finished, what was leased meanwhile is given back', async () => {
    const world = createWorld({});
    await world.makeQuick();
    const gate = world.hold();
    world.accept('sending');
    const place = world.loop.keepPlace('biz_123');
    const stopped = world.loop.stop();
    place?.use(heldOf('late'), performance.now());
    await expect.poll(() => world.released).toEqual(['late']);
    expect(world.settled).toEqual([['first', 'delivered']]);
    gate.resolve();
    await stopped;
    expect(world.settled).toContainEqual(['sending', 'delivered']);
  });

  it('D4: gives back what a claim that was under way at the stop brings', async () => {
    const world = createWorld({});
    const claiming = Promise.withResolvers<void>();
    world.beforeClaim = () => claiming.promise;
    world.due.push('a');
    world.loop.start();
    await expect.poll(() => world.claims).toBe(1);
    const stopped = world.loop.stop();
    claiming.resolve();
    await stopped;
    expect(world.released).toEqual(['a']);
    expect(world.sending).toEqual([]);
  });

  it('survives a database that does not answer, with one line when it begins and one when it ends', async () => {
    const world = createWorld({ pollMs: 1 });
    let failing = true;
    world.beforeClaim = async () => {
      if (failing) throw new Error('no database');
    };
    world.loop.start();
    await expect.poll(() => world.claims).toBeGreaterThan(2);
    failing = false;
    world.due.push('a');
    await expect.poll(() => world.settled).toEqual([['a', 'delivered']]);
    await world.loop.stop();
    expect(world.lines.map((line) => line.level)).toEqual(['warn', 'info']);
  });
});

function createWorld(options: Partial<LoopOptions>) {
  const lines: LogLine[] = [];
  let gate: { holds: (id: string) => boolean; opened: Promise<void> } | null = null;
  const world = {
    due: [] as string[],
    later: [] as string[],
    /** What was tried before is due for longer, so a look finds it first. */
    laterIsOlder: false,
    sending: [] as string[],
    settled: [] as [string, string][],
    released: [] as string[],
    lines,
    claims: 0,
    most: 0,
    inFlight: 0,
    failSettle: 0,
    answer: 'settled' as 'settled' | 'lost',
    beforeClaim: async (): Promise<void> => undefined,
    /** What an attempt does before its request: it reads the settings. */
    beforeSending: null as (() => Promise<void>) | null,
    /** Requests of the chosen deliveries stay unanswered until the gate is opened. */
    hold: (holds: (id: string) => boolean = () => true) => {
      const opening = Promise.withResolvers<void>();
      gate = { holds, opened: opening.promise };
      return opening;
    },
    refused: [] as string[],
    accept: (id: string) => {
      const place = world.loop.keepPlace('biz_123');
      if (place === null) world.refused.push(id);
      place?.use(heldOf(id), performance.now());
    },
    /** The endpoint has answered once, so that all slots are there for it. */
    makeQuick: async () => {
      world.accept('first');
      await expect.poll(() => world.settled).toEqual([['first', 'delivered']]);
      world.sending.length = 0;
    },
    loop: createDeliveryLoop(depsOf(), {
      slots: 8,
      pollMs: 20,
      leaseMs: 60_000,
      totalTimeoutMs: 1_000,
      ...options,
    }),
  };
  return world;

  function depsOf(): LoopDeps {
    return {
      claimDue: async (limit, later, places) => {
        world.claims += 1;
        await world.beforeClaim();
        // `<id>@<endpoint>`, or the one endpoint of most tests.
        const take = (from: string[], count: number): string[] => {
          const taken = new Set<string>();
          for (const id of from) {
            if (taken.size < count && places.keep(id.split('@')[1] ?? 'biz_123', 1) === 1) taken.add(id);
          }
          from.splice(0, from.length, ...from.filter((id) => !taken.has(id)));
          return [...taken];
        };
        const older = world.laterIsOlder ? take(world.later, Math.min(later, limit)) : [];
        const fresh = take(world.due, limit - older.length);
        const younger = take(world.later, Math.min(later, limit - fresh.length) - older.length);
        return [...fresh.map((id) => heldOf(id)), ...[...older, ...younger].map((id) => heldOf(id, 'later'))];
      },
      makeAttempt: async (delivery, isInTime) => {
        if (world.beforeSending !== null) await world.beforeSending();
        if (!isInTime()) return null;
        world.sending.push(delivery.id);
        world.inFlight += 1;
        world.most = Math.max(world.most, world.inFlight);
        if (gate?.holds(delivery.id) === true) await gate.opened;
        world.inFlight -= 1;
        return DELIVERED;
      },
      settle: async ({ rowId: id }: Hold, outcome: AttemptOutcome) => {
        if (world.failSettle > 0) {
          world.failSettle -= 1;
          throw new Error('no database');
        }
        world.settled.push([id, outcome.next.state]);
        return world.answer;
      },
      release: async ({ rowId }) => world.released.push(rowId),
      onAttempt: () => undefined,
      logger: createTestLogger(lines),
    };
  }
}

function heldOf(id: string, lane: Lane = 'first'): HeldDelivery {
  return {
    delivery: deliveryOf(id),
    hold: { rowId: id, endpointId: id.split('@')[1] ?? 'biz_123', owner: 'me', slot: id, lane },
  };
}

function deliveryOf(id: string): OpenDelivery {
  return {
    id,
    webhookId: id,
    endpointId: 'biz_123',
    businessId: 'biz_123',
    callSid: 'CA00000000000000000000000000000001',
    eventType: 'call.completed',
    revision: 1,
    body: Buffer.from('{}'),
    trigger: 'schedule',
    attempts: 0,
    priorAttempts: 0,
    ownFailures: null,
    dueAt: new Date(),
  };
}
