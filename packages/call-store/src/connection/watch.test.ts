import { afterEach, expect, test, vi } from 'vitest';
import { quietLog } from '../fixtures/store.ts';
import type { StoreReadiness } from './store.ts';
import { startWatch } from './watch.ts';

const stop = new AbortController();
afterEach(() => {
  stop.abort();
  vi.restoreAllMocks();
});

test('B96 a clock that is set forward or back makes no store unready that answers', async () => {
  const look = async (): Promise<StoreReadiness> => ({ ok: true });
  const watch = await startWatch({ look, reasonOf: String, logger: quietLog(), signal: stop.signal });
  const rightNow = Date.now.bind(Date);
  for (const jump of [3_600_000, -3_600_000]) {
    vi.spyOn(Date, 'now').mockImplementation(() => rightNow() + jump);
    expect(watch.readiness()).toEqual({ ok: true });
  }
});
