import { StoreError, type SettingsReader } from '@pipeline/call-store/settings';
import { RetryLaterError } from '@pipeline/contracts';
import { expect, test } from 'vitest';
import { business, NOW, NUMBER } from '../fixtures.ts';
import { createOwners } from './owners.ts';

const MINUTE = 60_000;
const never = new AbortController().signal;

/** Settings in which {@link NUMBER} is of `biz_1` today. */
function settings(more: Partial<SettingsReader> = {}) {
  const asked: string[] = [];
  const remember = <T>(what: string, answer: T): Promise<T> => {
    asked.push(what);
    return Promise.resolve(answer);
  };
  const reader = {
    byPhone: (number: string) => remember(number, number === NUMBER ? business('biz_1') : null),
    byId: (id: string) => remember(id, business(id)),
    formerNumbers: () => remember('former', []),
    ...more,
  };
  return { asked, ownerOf: createOwners(reader) };
}

/** Numbers that were given up, so many minutes before {@link NOW}. */
const givenUp = (...changes: readonly (readonly [number: string, businessId: string, minutesAgo: number])[]) => ({
  formerNumbers: async () =>
    changes.map(([number, businessId, ago]) => ({ number, businessId, until: NOW - ago * MINUTE })),
});

test('a number is asked for once a run, and no number belongs to nobody', async () => {
  const { asked, ownerOf } = settings();
  const found = [];
  for (const number of [NUMBER, '+972000000', NUMBER, '+972000000', null])
    found.push(await ownerOf(number, NOW, never));
  expect(found).toEqual([business(), 'nobody', business(), 'nobody', 'nobody']);
  expect(asked).toEqual(['former', NUMBER, '+972000000']);
});

test('a number that changed hands is of who had it when the call began, whoever has it now', async () => {
  const { ownerOf } = settings(givenUp([NUMBER, 'biz_0', 600], ['+972000000', 'biz_5', 30], [NUMBER, 'biz_2', 60]));
  const ownerAt = async (minutesAgo: number, number = NUMBER) => ownerOf(number, NOW - minutesAgo * MINUTE, never);
  expect([await ownerAt(602), await ownerAt(598), await ownerAt(62)].map((owner) => Object(owner).id)).toEqual([
    'biz_0',
    'biz_2',
    'biz_2',
  ]);
  expect(await ownerAt(58)).toMatchObject({ id: 'biz_1' });
  expect(await ownerAt(32, '+972000000'), 'nobody has it now').toMatchObject({ id: 'biz_5' });
  expect(await ownerAt(28, '+972000000')).toBe('nobody');
});

test('a call that began within a minute of the change is given to nobody, but where both are one business', async () => {
  const { ownerOf } = settings(givenUp([NUMBER, 'biz_2', 60]));
  const ownerAt = async (minutesAgo: number) => ownerOf(NUMBER, NOW - minutesAgo * MINUTE, never);
  expect([await ownerAt(61), await ownerAt(60), await ownerAt(59)]).toEqual(['doubtful', 'doubtful', 'doubtful']);
  const taken = settings(givenUp([NUMBER, 'biz_1', 60]));
  expect(await taken.ownerOf(NUMBER, NOW - 60 * MINUTE, never)).toMatchObject({ id: 'biz_1' });
});

test('settings that make no sense hold up one business; a database that is away ends the run', async () => {
  const broken = settings({
    byPhone: () => Promise.reject(new StoreError('DOCUMENT_INVALID', 'stored settings do not fit')),
  });
  expect(await broken.ownerOf(NUMBER, NOW, never)).toBe('unreadable');
  for (const part of ['byPhone', 'formerNumbers'] as const) {
    const away = settings({ [part]: () => Promise.reject(new RetryLaterError('MongoDB did not do: read')) });
    await expect(away.ownerOf(NUMBER, NOW, never)).rejects.toThrow(RetryLaterError);
  }
});
