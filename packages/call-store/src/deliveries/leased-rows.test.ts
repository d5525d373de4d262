import { afterEach, expect, test, vi } from 'vitest';
import { createLeasedRows } from './leased-rows.ts';
import type { Hold } from './row.ts';

const NOW = new Date('2025-12-09T10:30:00Z');
const ROW = { id: 'msg_1@biz_1', lane: 'first', trigger: 'schedule', attempts: 2, ownFailures: null } as const;

afterEach(() => vi.useRealTimers());

test('what was leased is known for five seconds, with the time of the database going on', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const rows = createLeasedRows();
  rows.remember(holdOf(), { ...ROW }, NOW, performance.now());
  const hold = holdOf();
  rows.remember(hold, ROW, NOW, performance.now());
  vi.advanceTimersByTime(5_000);
  expect(rows.recall(hold)).toEqual({ row: ROW, now: new Date(NOW.getTime() + 5_000) });
  vi.advanceTimersByTime(1);
  expect(rows.recall(hold)).toBeNull();
});

test('what another process leased, or was forgotten, is read', () => {
  const rows = createLeasedRows();
  const hold = holdOf();
  rows.remember(hold, ROW, NOW, performance.now());
  expect(rows.recall(holdOf())).toBeNull();
  rows.forget(hold);
  expect(rows.recall(hold)).toBeNull();
});

function holdOf(): Hold {
  return { rowId: ROW.id, endpointId: 'biz_1', owner: 'one', slot: 's', lane: 'first' };
}
