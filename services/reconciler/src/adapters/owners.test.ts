import { expect, test } from 'vitest';
import { StoreError } from '@pipeline/call-store/settings';
import { RetryLaterError } from '@pipeline/contracts';
import { business, NUMBER } from '../fixtures.ts';
import { createOwners } from './owners.ts';

const never = new AbortController().signal;

test('a number is asked for once a run, and no number belongs to nobody', async () => {
  const asked: string[] = [];
  const ownerOf = createOwners(async (number) => {
    asked.push(number);
    return number === NUMBER ? business() : null;
  });
  const found = [];
  for (const number of [NUMBER, '+972000000', NUMBER, '+972000000', null]) found.push(await ownerOf(number, never));
  expect(found).toEqual([business(), 'nobody', business(), 'nobody', 'nobody']);
  expect(asked).toEqual([NUMBER, '+972000000']);
});

test('settings that make no sense hold up one business; a database that is away ends the run', async () => {
  const broken = createOwners(() => Promise.reject(new StoreError('DOCUMENT_INVALID', 'stored settings do not fit')));
  expect(await broken(NUMBER, never)).toBe('unreadable');
  const away = createOwners(() => Promise.reject(new RetryLaterError('MongoDB did not do: read')));
  await expect(away(NUMBER, never)).rejects.toThrow(RetryLaterError);
});
