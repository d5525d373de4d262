import { describe, expect, it } from 'vitest';
import { createWorld } from '../../fixtures/endpoint-world.ts';
import { pause, resume } from './operate.ts';
import { noteWaiting } from './slots.ts';

describe('first attempts and what was tried before, when both wait', () => {
  it.each([1, 2, 3, 4, 8])('share %i slots, and neither is held up by a backlog of the other', (maxInFlight) => {
    const world = createWorld({ ratePerSecond: 1_000, maxInFlight });
    const begun = { first: 0, later: 0, test: 0 };
    for (let round = 0; round < 40; round += 1) {
      const given = world.takeBoth(10, 10);
      // No slot is idle while somebody waits for one.
      expect(given.length).toBe(maxInFlight);
      for (const lane of given) begun[lane] += 1;
      world.settleAll({ kind: 'healthy' });
    }
    expect(begun.later).toBeGreaterThanOrEqual(Math.min(10 * maxInFlight, 40));
    expect(begun.first).toBeGreaterThanOrEqual(10 * maxInFlight);
  });

  it('share a rate that is short three to one, for as long as both wait', () => {
    const world = createWorld({ ratePerSecond: 1_000, maxInFlight: 8 });
    world.change(pause());
    world.change(resume({ force: false }));
    world.pass(1);
    world.settleAll({ kind: 'healthy' });
    const begun = { first: 0, later: 0, test: 0 };
    for (let seconds = 0; seconds < 600; seconds += 0.2) {
      world.pass(200);
      for (const lane of world.takeBoth(8, 8)) begun[lane] += 1;
      world.settleAll({ kind: 'healthy' });
    }
    expect(begun.first + begun.later).toBeGreaterThanOrEqual(2_990);
    expect(begun.later / (begun.first + begun.later)).toBeCloseTo(0.25, 2);
  });

  it('get no more than whoever asks has places for, one of four for a retry', () => {
    const world = createWorld();
    const lanes = [1, 1, 1, 1, 1, 1, 1, 1].map((most) => {
      const given = world.takeBoth(5, 5, most);
      world.settleAll({ kind: 'healthy' });
      return given;
    });
    expect(lanes.map(([lane]) => lane)).toEqual([
      'first',
      'first',
      'first',
      'later',
      'first',
      'first',
      'first',
      'later',
    ]);
    expect(lanes.every(({ length }) => length === 1)).toBe(true);
  });

  it('take turns also with what was just frozen and knows of no backlog', () => {
    const world = createWorld({ ratePerSecond: 1_000, maxInFlight: 1 });
    world.change(noteWaiting('later', 'now'));
    for (let count = 0; count < 3; count += 1) world.attempt({ kind: 'healthy' });
    expect(world.take('first', 1)).toBe(0);
    expect(world.endpoint.nextDueAt?.getTime()).toBeLessThanOrEqual(world.now());
    expect(world.takeBoth(1, 1)).toEqual(['later']);
    world.settleAll({ kind: 'healthy' });
    expect(world.take('first', 1)).toBe(1);
  });

  it('leave nothing idle for retries that are not there', () => {
    const world = createWorld({ ratePerSecond: 1_000, maxInFlight: 1 });
    world.change(noteWaiting('later', 'now'));
    for (let count = 0; count < 10; count += 1) {
      expect(world.takeBoth(1, 0)).toEqual(['first']);
      world.settleAll({ kind: 'healthy' });
    }
  });
});
