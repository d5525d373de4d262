import { describe, expect, it } from 'vitest';
import { createBacklog } from './backlog.ts';

const never = new AbortController().signal;

/** A backlog of numbers that keeps what was written and what failed; `impossible` ones never can be. */
function backlogOf(keys: readonly string[], impossible: readonly string[] = [], bounds = {}) {
  const failures: string[] = [];
  const tried: string[] = [];
  const backlog = createBacklog<string>({ onFailure: (key) => void failures.push(key), ...bounds });
  for (const key of keys) backlog.set(key, key);
  const round = (signal = never): Promise<void> =>
    backlog.work(async (key) => {
      tried.push(key);
      if (impossible.includes(key)) throw new Error('it can never be written');
      backlog.delete(key);
    }, signal);
  const left = () => keys.filter((key) => backlog.get(key) !== undefined);
  return { backlog, round, tried, failures, left };
}

describe('a backlog', () => {
  it('does everything behind one that can never be done, in the same round, and tells of that one once', async () => {
    const { round, failures, left } = backlogOf(['a', 'b', 'c', 'd'], ['a', 'c']);
    await round();
    expect(left()).toEqual(['a', 'c']);
    for (let again = 0; again < 5; again += 1) await round();
    expect(failures).toEqual(['a', 'c']);
  });

  it('comes to everybody although more can never be done than a round has tries', async () => {
    const stuck = Array.from({ length: 7 }, (_, index) => `stuck-${index}`);
    const { round, tried, left } = backlogOf([...stuck, 'late'], stuck, { perRound: 3 });
    for (let rounds = 1; rounds <= 3; rounds += 1) {
      const before = tried.length;
      await round();
      expect(tried.length - before, 'tries of a round').toBeLessThanOrEqual(3);
    }
    expect(left()).toEqual(stuck);
    for (let rounds = 1; rounds <= 3; rounds += 1) await round();
    expect(
      tried.filter((key) => key === 'stuck-0'),
      'it begins again at the oldest',
    ).toHaveLength(2);
  });

  it('ends its round between two tries when it is told to', async () => {
    const stop = new AbortController();
    const { backlog, left } = backlogOf(['a', 'b', 'c']);
    await backlog.work(async (key) => {
      backlog.delete(key);
      if (key === 'b') stop.abort();
    }, stop.signal);
    expect(left()).toEqual(['c']);
  });

  it('does not try what was taken back, or set anew, since its round began', async () => {
    const { backlog } = backlogOf(['a', 'b', 'c']);
    const tried: string[] = [];
    await backlog.work(async (key, value) => {
      tried.push(value);
      backlog.delete(key);
      backlog.delete('b');
      if (value === 'a') backlog.set('c', 'newer');
    }, never);
    expect(tried).toEqual(['a']);
    expect(backlog.get('c')).toBe('newer');
  });

  it('gives up its oldest above its bound, and a key that is set again is the newest', () => {
    const { backlog, left } = backlogOf(['a', 'b', 'c'], [], { max: 3 });
    backlog.set('a', 'again');
    backlog.set('d', 'd');
    expect(left()).toEqual(['a', 'c']);
    expect(backlog.get('a')).toBe('again');
  });

  it('does not take a value for done that was set while an older one was written', async () => {
    const { backlog } = backlogOf(['a']);
    await backlog.work(async (key) => backlog.set(key, 'newer'), never);
    expect(backlog.get('a')).toBe('newer');
  });
});
