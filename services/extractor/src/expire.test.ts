import type { CallErase, Received } from '@pipeline/contracts';
import { expect, test } from 'vitest';
import { expire, type ExpireDeps } from './expire.ts';

const never = new AbortController().signal;
const NOW = Date.parse('2025-12-09T10:30:00Z');
const callSid = `CA${'1'.repeat(32)}`;
const command: Received<CallErase> = {
  type: 'call.erase',
  version: 1,
  id: `${callSid}:retention:r1`,
  occurredAt: '2025-12-09T10:00:00Z',
  businessId: 'biz_1',
  callSid,
  revision: 1,
  attempt: 1,
  data: { requestedBy: 'sweep', because: 'retention' },
};

function depsOf(change: Partial<ExpireDeps> = {}) {
  const asked: object[] = [];
  const told: string[] = [];
  const deps: ExpireDeps = {
    find: async () => ({ kind: 'call', callLog: { revision: 3 } }),
    settings: async () => ({ retention_days: 30 }),
    expire: async (call) => (asked.push(call), { kind: 'expired' }),
    report: (_callSid, outcome) => void told.push(outcome),
    now: () => NOW,
    ...change,
  };
  return { deps, asked, told };
}

test('the end of a retention empties the CallLog that stands, by the days of today, and announces nothing', async () => {
  const { deps, asked, told } = depsOf();
  expect(await expire(command, deps, never)).toEqual([]);
  expect(asked).toEqual([{ callSid, businessId: 'biz_1', revision: 3, endedBefore: new Date('2025-11-09T10:30:00Z') }]);
  expect(told).toEqual(['expired']);
});

test.each<[string, Partial<ExpireDeps>, string]>([
  ['that was erased', { find: async () => ({ kind: 'erased', revision: 1 }) }, 'already'],
  ['that was emptied before', { find: async () => ({ kind: 'expired' }) }, 'already'],
  ['of which nothing is stored', { find: async () => ({ kind: 'none' }) }, 'already'],
  ['of a business without settings', { settings: async () => null }, 'kept'],
])('a call %s is left alone', async (_what, change, outcome) => {
  const { deps, asked, told } = depsOf(change);
  expect(await expire(command, deps, never)).toEqual([]);
  expect({ asked, told }).toEqual({ asked: [], told: [outcome] });
});

test('a call that the store keeps, for its business keeps calls longer by now, is told as kept', async () => {
  const { deps, told } = depsOf({ expire: async () => ({ kind: 'kept' }) });
  await expire(command, deps, never);
  expect(told).toEqual(['kept']);
});
