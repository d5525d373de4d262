import { describe, expect, it } from 'vitest';
import { createWorld, SILENT, START } from '../../fixtures/endpoint-world.ts';
import { pause, resume } from './operate.ts';
import { noteWaiting, returnSlots } from './slots.ts';

const DAY = 86_400_000;

describe('slots', () => {
  it('are given up to the cap, to each lane its share, and end by themselves', () => {
    const world = createWorld();
    expect(world.take('later', 10)).toBe(6);
    expect(world.take('first', 10)).toBe(2);
    expect(world.take('first', 1)).toBe(0);
    world.pass(60_000);
    expect(world.endpoint.leases).toEqual([]);
    expect(world.take('first', 10)).toBe(7);
    expect(world.take('later', 10)).toBe(1);
  });

  it('that ended with their process make the endpoint due again, whoever looks at it in between', () => {
    const world = createWorld();
    world.take('first', 2);
    expect(world.endpoint.nextDueAt).toEqual(new Date(START + 60_000));
    world.pass(60_001);
    world.change(returnSlots(['another']));
    expect(world.endpoint.waiting.first).toEqual(new Date(START + 60_000));
    expect(world.endpoint.nextDueAt?.getTime()).toBeLessThanOrEqual(world.now());
  });

  it('follow the rate of the business: a burst of one second, then as many as the time brings', () => {
    const world = createWorld({ ratePerSecond: 2, maxInFlight: 100 });
    expect(world.take('first', 10)).toBe(2);
    world.change(noteWaiting('first', 'now'));
    expect(world.endpoint.nextDueAt).toEqual(new Date(START + 500));
    world.pass(500);
    expect(world.take('first', 10)).toBe(1);
    world.pass(60_000);
    expect(world.take('first', 10)).toBe(2);
  });

  it('are given to one test beyond the cap, and not to each that is asked for', () => {
    const world = createWorld({ ratePerSecond: 1_000, maxInFlight: 2 });
    world.take('first', 2);
    expect(world.take('test', 1)).toBe(1);
    expect(world.take('test', 1)).toBe(0);
    expect(world.endpoint.leases).toHaveLength(3);
  });

  it('of a lane whose share is full are not looked for before one of them is free', () => {
    const world = createWorld();
    world.change(noteWaiting('later', 'now'));
    expect(world.take('later', 10)).toBe(6);
    expect(world.endpoint.nextDueAt).toEqual(new Date(START + 60_000));
    world.change(noteWaiting('first', 'now'));
    expect(world.endpoint.nextDueAt).toEqual(new Date(START));
  });

  it('with a slow rate are given one by one', () => {
    const world = createWorld({ ratePerSecond: 0.01, maxInFlight: 4 });
    expect(world.take('first', 4)).toBe(1);
    world.pass(99_000);
    expect(world.take('first', 4)).toBe(0);
    world.pass(1_000);
    expect(world.take('first', 4)).toBe(1);
  });
});

describe('the circuit breaker', () => {
  it('opens after five failures in a row, lets out one probe whoever asks, and closes when that is answered', () => {
    const world = createWorld();
    for (let count = 0; count < 4; count++) world.attempt(SILENT);
    expect(world.endpoint.breaker).toBeNull();
    world.attempt(SILENT);
    expect(world.notices).toContainEqual({ kind: 'breaker_opened' });
    world.change(noteWaiting('later', 'now'));
    expect(world.take('first', 5)).toBe(0);
    expect(world.endpoint.nextDueAt).toEqual(new Date(world.now() + 10_000));
    world.pass(10_000);
    expect(world.take('first', 5)).toBe(1);
    expect(world.take('later', 5)).toBe(0);
    world.settle({ kind: 'healthy' });
    expect(world.endpoint).toMatchObject({ breaker: null, failures: null, unanswered: 0 });
    expect(world.take('first', 5)).toBe(5);
  });

  it('stays open for longer with each probe that fails, up to ten minutes', () => {
    const world = createWorld();
    for (let count = 0; count < 5; count++) world.attempt(SILENT);
    const waits: number[] = [];
    for (let probe = 0; probe < 9; probe++) {
      const openUntil = world.endpoint.breaker?.openUntil.getTime() ?? 0;
      waits.push((openUntil - world.now()) / 1_000);
      world.pass(openUntil - world.now());
      world.attempt(SILENT);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it('gives the next probe out when a probe ends with its process', () => {
    const world = createWorld();
    for (let count = 0; count < 5; count++) world.attempt(SILENT);
    world.pass(10_000);
    expect(world.take('first', 1)).toBe(1);
    world.pass(59_999);
    expect(world.take('first', 1)).toBe(0);
    world.pass(1);
    expect(world.take('first', 1)).toBe(1);
  });

  it('does not open on answers that no repetition makes better, nor on our own failures', () => {
    const world = createWorld();
    for (let count = 0; count < 20; count++) world.attempt({ kind: count % 2 === 0 ? 'refusing' : 'none' });
    expect(world.endpoint.breaker).toBeNull();
  });
});

describe('a receiver that asks for less', () => {
  it('is left alone as long as it asks, then gets half the rate, which grows back with success', () => {
    const world = createWorld({ ratePerSecond: 8, maxInFlight: 100 });
    world.attempt({ kind: 'throttling', retryAfterMs: 30_000 });
    expect(world.take('first', 1)).toBe(0);
    world.pass(30_000);
    expect(world.take('first', 100)).toBe(4);
    for (let count = 0; count < 4; count++) world.settle({ kind: 'healthy' });
    expect(world.endpoint.throttle).toBeNull();
  });

  it('is left alone as long as it asks although what was in flight at the time succeeds', () => {
    const world = createWorld({ ratePerSecond: 8, maxInFlight: 100 });
    world.take('first', 5);
    world.settle({ kind: 'throttling', retryAfterMs: 3_600_000 });
    for (let count = 0; count < 4; count++) world.settle({ kind: 'healthy' });
    expect(world.take('first', 1)).toBe(0);
    world.pass(3_599_999);
    expect(world.take('first', 1)).toBe(0);
    world.pass(1);
    expect(world.take('first', 1)).toBe(1);
  });

  it('is believed for a day at most, and when it only guesses how long it will be out, for an hour', () => {
    const world = createWorld();
    world.attempt({ kind: 'throttling', retryAfterMs: 40 * DAY });
    expect(world.endpoint.throttle?.until).toEqual(new Date(START + DAY));
    const out = createWorld();
    out.attempt({ kind: 'unanswered', retryAfterMs: DAY });
    expect(out.take('first', 1)).toBe(0);
    out.pass(3_600_000);
    expect(out.take('first', 1)).toBe(1);
  });
});

describe('an endpoint that only fails', () => {
  it('warns at 50, 70 and 90 % of five days, is paused at the end of them, and keeps what is for it', () => {
    const world = createWorld();
    for (let hour = 0; hour <= 120 && world.endpoint.state === 'active'; hour++) {
      world.attempt(SILENT);
      world.pass(3_600_000);
    }
    const told = world.notices.filter(({ kind }) => kind !== 'breaker_opened');
    expect(told).toEqual([
      { kind: 'failing', percent: 50 },
      { kind: 'failing', percent: 70 },
      { kind: 'failing', percent: 90 },
      { kind: 'paused' },
    ]);
    expect(world.endpoint).toMatchObject({ state: 'paused', reason: 'failing' });
    world.change(noteWaiting('first', 'now'));
    expect(world.take('first', 1)).toBe(0);
    expect(world.endpoint).toMatchObject({ waiting: { first: new Date(world.now()) }, nextDueAt: null });
  });

  it('is not paused before twenty attempts, however long it takes, nor before five days, however many', () => {
    const slow = createWorld();
    for (let count = 0; count < 19; count++) {
      slow.attempt(SILENT);
      slow.pass(DAY);
    }
    expect(slow.endpoint.state).toBe('active');
    const quick = createWorld();
    for (let count = 0; count < 500; count++) quick.attempt({ kind: 'refusing' });
    quick.pass(4 * DAY);
    quick.attempt({ kind: 'refusing' });
    expect(quick.endpoint.state).toBe('active');
  });

  it('starts anew after one success', () => {
    const world = createWorld();
    for (let count = 0; count < 30; count++) world.attempt(SILENT);
    world.pass(4 * DAY);
    world.attempt({ kind: 'healthy' });
    world.pass(2 * DAY);
    world.attempt(SILENT);
    expect(world.endpoint).toMatchObject({ state: 'active', failures: { count: 1 } });
  });
});

describe('a paused endpoint', () => {
  it('that stopped by itself is active five minutes after a test that it answers, and catches up at a bounded rate', () => {
    const world = createWorld({ ratePerSecond: 100, maxInFlight: 100 });
    world.attempt({ kind: 'gone', reason: 'endpoint_gone' });
    expect(world.endpoint).toMatchObject({ state: 'disabled', reason: 'endpoint_gone' });
    expect(world.change(resume({ force: false }))).toBe('needs_test');
    world.change(noteWaiting('first', 'now'));
    world.change(noteWaiting('test', 'now'));
    expect(world.endpoint.nextDueAt).toEqual(new Date(world.now()));
    world.attempt(SILENT, 'test');
    expect(world.endpoint).toMatchObject({ state: 'disabled', resumesAt: null });
    world.attempt({ kind: 'healthy' }, 'test');
    world.pass(299_999);
    expect(world.take('first', 1)).toBe(0);
    world.pass(1);
    expect(world.take('first', 100)).toBe(5);
    world.pass(1_000);
    expect(world.take('first', 100)).toBe(5);
  });

  it('that answers 410 again before the five minutes are over stays disabled', () => {
    const world = createWorld();
    world.attempt({ kind: 'gone', reason: 'endpoint_gone' });
    world.attempt({ kind: 'healthy' }, 'test');
    world.attempt({ kind: 'gone', reason: 'endpoint_gone' }, 'test');
    world.pass(DAY);
    expect(world.endpoint).toMatchObject({ state: 'disabled', resumesAt: null });
    expect(world.take('first', 1)).toBe(0);
  });

  it('is looked at for a test as soon as the lease of the one before ends with its process', () => {
    const world = createWorld();
    world.change(pause());
    world.take('test', 1);
    expect(world.endpoint.nextDueAt).toEqual(new Date(START + 60_000));
  });

  it('that an operator paused is resumed by an operator, and by no test', () => {
    const world = createWorld();
    expect(world.change(pause())).toBe('paused');
    expect(world.change(pause())).toBe('already');
    world.attempt({ kind: 'healthy' }, 'test');
    world.pass(DAY);
    expect(world.take('first', 1)).toBe(0);
    expect(world.change(resume({ force: false }))).toBe('resumed');
    expect(world.take('first', 1)).toBe(1);
    expect(world.change(resume({ force: false }))).toBe('already');
  });

  it('that an operator paused stays his when what was in flight at the time is answered with 410', () => {
    const world = createWorld();
    world.take('first', 1);
    world.change(pause());
    world.settle({ kind: 'gone', reason: 'endpoint_gone' });
    world.attempt({ kind: 'healthy' }, 'test');
    world.pass(DAY);
    expect(world.take('first', 1)).toBe(0);
  });

  it('stays paused when what was in flight at the time succeeds', () => {
    const world = createWorld();
    world.take('first', 1);
    world.change(pause());
    world.settle({ kind: 'healthy' });
    expect(world.endpoint.state).toBe('paused');
  });
});
