import { describe, expect, it } from 'vitest';
import { business, silentLogger } from '../testing/examples.ts';
import { createSettingsSource } from './settings.ts';

const PHONE = '+972501234567';

describe('settings', () => {
  it('are read again at every call, so that a change counts from the next one', async () => {
    const answers = [business, { ...business, name: 'Renamed' }, null];
    const source = createSettingsSource({ byPhone: async () => answers.shift() ?? null }, silentLogger);
    const names = [];
    for (let call = 0; call < 3; call += 1) names.push((await source.byPhone(PHONE, AbortSignal.timeout(1_000)))?.name);
    expect(names).toEqual(['A business', 'Renamed', undefined]);
  });

  it('fall back to the last good copy, not to one of a number that was given up', async () => {
    const answers: (typeof business | null)[] = [business];
    const reader = {
      byPhone: async () => {
        const answer = answers.shift();
        if (answer === undefined) throw new Error('the database is down');
        return answer;
      },
    };
    const source = createSettingsSource(reader, silentLogger);
    const ask = () => source.byPhone(PHONE, AbortSignal.timeout(1_000));
    expect(await ask()).toBe(business);
    expect(await ask()).toBe(business);
    answers.push(null);
    expect(await ask()).toBeNull();
    await expect(ask()).rejects.toThrow('the database is down');
  });

  it('wait for a database that does not answer no longer than they are allowed to', async () => {
    const source = createSettingsSource({ byPhone: () => new Promise(() => undefined) }, silentLogger);
    await expect(source.byPhone(PHONE, AbortSignal.timeout(20))).rejects.toThrow('timeout');
  });
});
