import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSolitude } from './solitude.ts';

const LONG = 60_000;
const never = new AbortController().signal;
const settledSoon = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** What became of a wait, once nothing moves any more. */
async function now<T>(wait: Promise<T>): Promise<T | 'waits'> {
  let result: T | 'waits' = 'waits';
  void wait.then((value) => (result = value));
  await settledSoon();
  return result;
}

function mustEnter(solitude: ReturnType<typeof createSolitude>) {
  const place = solitude.enter();
  if (place === null) throw new Error('nobody was to be kept out');
  return place;
}

describe('working alone', () => {
  it('those who work finish first, and nobody begins before or beside the one who is alone', async () => {
    const solitude = createSolitude();
    const [suspect, other] = [mustEnter(solitude), mustEnter(solitude)];
    const alone = suspect.alone(LONG, never);
    const undisturbed = solitude.undisturbed(never).then(() => true);
    expect([await now(alone), solitude.enter(), await now(undisturbed)]).toEqual(['waits', null, 'waits']);
    other.leave();
    expect([await now(alone), solitude.enter(), await now(undisturbed)]).toEqual([true, null, 'waits']);
    suspect.leave();
    expect(await now(undisturbed)).toBe(true);
    expect(solitude.enter()).not.toBeNull();
  });

  it('several are alone one after another, in the order in which they asked', async () => {
    const solitude = createSolitude();
    const places = [mustEnter(solitude), mustEnter(solitude), mustEnter(solitude)];
    const waits = places.map((place) => place.alone(LONG, never));
    for (const [at, place] of places.entries()) {
      expect(await Promise.all(waits.map(now))).toEqual(waits.map((_, index) => (index <= at ? true : 'waits')));
      place.leave();
    }
    expect(solitude.enter()).not.toBeNull();
  });

  it.each([
    ['its time is over', 20, () => never],
    ['the process stops', LONG, () => AbortSignal.timeout(20)],
  ])('a wait ends when %s, and then holds nobody up', async (_name, maxMs, signal: () => AbortSignal) => {
    const solitude = createSolitude();
    const [suspect, other] = [mustEnter(solitude), mustEnter(solitude)];
    expect(await suspect.alone(maxMs, signal())).toBe(false);
    const late = mustEnter(solitude);
    for (const place of [other, suspect, late]) place.leave();
    expect(await mustEnter(solitude).alone(LONG, never)).toBe(true);
  });

  it('who leaves twice has left once', async () => {
    const solitude = createSolitude();
    const [first, second] = [mustEnter(solitude), mustEnter(solitude)];
    first.leave();
    first.leave();
    const third = mustEnter(solitude);
    const alone = third.alone(LONG, never);
    expect(await now(alone)).toBe('waits');
    second.leave();
    expect(await now(alone)).toBe(true);
  });

  it('whoever comes, asks, gives up and leaves in whatever order: alone is alone, and all come to an end', async () => {
    const actor = fc.record({ asks: fc.boolean(), givesUp: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(actor, { minLength: 1, maxLength: 8 }), async (scheduler, actors) => {
        const solitude = createSolitude();
        const working = new Set<number>();
        const alone = new Set<number>();
        const pause = (): Promise<void> => scheduler.schedule(Promise.resolve());
        const work = async (who: number): Promise<void> => {
          working.add(who);
          expect(alone.size === 0 || working.size === 1).toBe(true);
          await pause();
          working.delete(who);
        };
        const ends = actors.map(async ({ asks, givesUp }, who) => {
          const end = new AbortController();
          await pause();
          let place = solitude.enter();
          for (; place === null; place = solitude.enter()) await solitude.undisturbed(never);
          if (givesUp) void pause().then(() => end.abort());
          const isAlone = asks && (await place.alone(LONG, end.signal));
          expect(isAlone || givesUp || !asks).toBe(true);
          if (isAlone) alone.add(who);
          if (isAlone || !asks) await work(who);
          alone.delete(who);
          place.leave();
          return who;
        });
        await scheduler.waitFor(Promise.all(ends));
        expect(await Promise.all(ends)).toHaveLength(actors.length);
        expect(solitude.enter()).not.toBeNull();
      }),
    );
  });
});
