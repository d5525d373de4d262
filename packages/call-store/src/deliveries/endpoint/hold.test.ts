import { describe, expect, it } from 'vitest';
import { createWorld, SILENT } from '../../fixtures/endpoint-world.ts';
import { isHeld, sendableFrom } from './hold.ts';
import { pause, resume } from './operate.ts';
import { noteWaiting } from './slots.ts';

const DAY = 86_400_000;

describe('an endpoint that is held back', () => {
  it('because it asked for less is sent to again at once, at its full rate, when an operator insists', () => {
    const world = createWorld({ ratePerSecond: 8, maxInFlight: 100 });
    world.attempt({ kind: 'throttling', retryAfterMs: DAY });
    world.change(noteWaiting('first', 'now'));
    expect(isHeld(world.endpoint, new Date(world.now()))).toBe(true);
    world.attempt({ kind: 'healthy' }, 'test');
    expect(world.change(resume({ force: false }))).toBe('already');
    expect(world.take('first', 1)).toBe(0);
    expect(world.change(resume({ force: true }))).toBe('released');
    expect(isHeld(world.endpoint, new Date(world.now()))).toBe(false);
    expect(world.endpoint.nextDueAt).toEqual(new Date(world.now()));
    world.pass(1_000);
    expect(world.take('first', 9)).toBe(8);
    expect(world.change(resume({ force: true }))).toBe('already');
  });

  it('because it is caught up with, or does not answer, is sent to as usual when an operator insists', () => {
    const draining = createWorld();
    draining.change(pause());
    expect(draining.change(resume({ force: true }))).toBe('resumed');
    expect(draining.endpoint.isDraining).toBe(true);
    expect(isHeld(draining.endpoint, new Date(draining.now()))).toBe(false);
    expect(draining.change(resume({ force: true }))).toBe('released');
    expect(draining.endpoint.isDraining).toBe(false);
    const silent = createWorld();
    for (let count = 0; count < 5; count++) silent.attempt(SILENT);
    expect(isHeld(silent.endpoint, new Date(silent.now() + DAY))).toBe(true);
    expect(silent.change(resume({ force: true }))).toBe('released');
    expect(silent.take('first', 8)).toBe(7);
    for (let count = 0; count < 4; count++) silent.settle(SILENT);
    expect(silent.endpoint.breaker).toBeNull();
  });

  it('says from when on it can be sent to, which a pause does not know', () => {
    const world = createWorld();
    world.attempt({ kind: 'throttling', retryAfterMs: 60_000 });
    expect(sendableFrom(world.endpoint, new Date(world.now()))).toEqual(new Date(world.now() + 60_000));
    world.pass(90_000);
    expect(sendableFrom(world.endpoint, new Date(world.now()))).toEqual(new Date(world.now()));
    world.change(pause());
    expect(sendableFrom(world.endpoint, new Date(world.now()))).toBeNull();
  });
});
