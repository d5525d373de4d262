import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callExtractedSchema, type CallExtracted } from '@pipeline/contracts';
import { announce } from './announce.ts';
import { NOW, sidOf } from './fixtures.ts';
import { judgeNotice, type LastNotice } from './notice.ts';

const HOUR = 3_600_000;
const never = new AbortController().signal;
const call = (n: number, revision = 1) => ({ callSid: sidOf(n), businessId: 'biz_1', revision });
const notice = (more: Partial<LastNotice> = {}): LastNotice => ({
  seq: 7,
  revision: 1,
  storedAt: NOW - 2 * HOUR,
  ...more,
});

describe('the notice of a CallLog without a delivery', () => {
  test('is published as extractor would have, where the stream has none', () => {
    const verdict = judgeNotice(call(1, 3), null, 0, NOW);
    if (verdict.kind !== 'publish') throw new Error(verdict.kind);
    expect(callExtractedSchema.parse(verdict.event)).toMatchObject({
      type: 'call.extracted',
      id: `${sidOf(1)}:extractor:r3`,
      callSid: sidOf(1),
      businessId: 'biz_1',
      revision: 3,
      data: { notify: true },
    });
    expect(verdict.messageId, 'its own id, with the fence of a first publish').toBeNull();
  });

  test.each<[string, LastNotice, number, string]>([
    ['waits for webhook-dispatcher, however long that takes', notice({ storedAt: NOW - 90 * HOUR }), 6, 'wait'],
    ['waits also when it is of an earlier revision', notice({ revision: 1 }), 6, 'wait'],
    [
      'that came to nothing a moment ago is not fed to it again',
      notice({ revision: 2, storedAt: NOW - HOUR + 1 }),
      7,
      'wait',
    ],
    ['that came to nothing an hour ago is repeated', notice({ revision: 2, storedAt: NOW - HOUR }), 7, ':replay7'],
    ['of an earlier revision that came to nothing is followed at once', notice({ storedAt: NOW }), 7, ':replay7'],
    [
      'without a readable revision counts as one of an earlier',
      notice({ revision: null, storedAt: NOW }),
      7,
      ':replay7',
    ],
  ])('%s', (_what, last, settledUpTo, expected) => {
    const verdict = judgeNotice(call(1, 2), last, settledUpTo, NOW);
    expect(verdict.kind === 'wait' ? 'wait' : verdict.messageId?.slice(`${sidOf(1)}:extractor:r2`.length)).toBe(
      expected,
    );
  });
});

test('property: exactly the calls without a delivery get a notice, page by page, unless one still waits', async () => {
  const drawn = fc.array(fc.record({ hasRow: fc.boolean(), last: fc.constantFrom('none', 'waits', 'lost') }), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(drawn, fc.integer({ min: 1, max: 7 }), async (calls, pageSize) => {
      const published: CallExtracted[] = [];
      const asked: number[] = [];
      const result = await announce(
        {
          time: async () => NOW,
          listStored: async function* (fromMs, toMs) {
            asked.push(fromMs, toMs);
            for (let at = 0; at < calls.length; at += pageSize)
              yield calls.slice(at, at + pageSize).map((_call, index) => call(at + index));
          },
          announced: async (callSids) => new Set(callSids.filter((callSid) => calls[numberOf(callSid)]?.hasRow)),
          lastNotice: async (_businessId, callSid) => {
            const last = calls[numberOf(callSid)]?.last;
            return last === 'none' ? null : notice({ seq: last === 'waits' ? 101 : 99 });
          },
          settledUpTo: async () => 100,
          publish: async (event) => void published.push(event),
        },
        { lookbackMs: 96 * HOUR, settleMs: 120_000 },
        never,
      );
      const silent = calls.flatMap(({ hasRow, last }, index) => (hasRow ? [] : [{ last, callSid: sidOf(index) }]));
      const owed = silent.filter(({ last }) => last !== 'waits').map(({ callSid }) => callSid);
      expect(published.map(({ callSid }) => callSid).toSorted()).toEqual(owed.toSorted());
      expect(result).toEqual({ looked: calls.length, waiting: silent.length - owed.length, published: owed.length });
      expect(asked).toEqual([NOW - 96 * HOUR, NOW - 120_000]);
    }),
    { numRuns: 1_000 },
  );
});

function numberOf(callSid: string): number {
  return Number.parseInt(callSid.slice(2), 16);
}
