import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callSummarizedSchema, callTranscribedSchema, KNOWN_PRICES, type CallLog } from '@pipeline/contracts';
import { callSidsOf, eachBounded } from './call-sids.ts';
import { differenceOf, isSame } from './difference.ts';
import { NOTHING, withCall } from './estimate.ts';
import { obstacleOf, reanalysisEvent } from './event.ts';
import { callLog, settings } from './fixtures/call-log.ts';
import { createPace } from './pace.ts';
import { outcomeText } from './report.ts';
import { candidateOf, rerun, type RerunDeps } from './rerun.ts';

const never = new AbortController().signal;
const now = new Date('2026-11-25T12:00:00Z');

/** Everything that comes, in its order. */
async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

describe('the event of a call that is worked again', () => {
  test('carries all that the CallLog says, the settings of today, and the next revision', () => {
    const event = reanalysisEvent(callLog, { from: 'transcribed', settings, notify: false, now });
    expect(callTranscribedSchema.parse(event)).toEqual({
      type: 'call.transcribed',
      version: 1,
      id: `${callLog.callSid}:transcriber:r4`,
      occurredAt: now.toISOString(),
      businessId: 'biz_1',
      callSid: callLog.callSid,
      revision: 4,
      data: {
        call: {
          from: callLog.from,
          to: callLog.to,
          direction: 'inbound',
          startedAt: callLog.startedAt,
          endedAt: callLog.endedAt,
          endedReason: 'stream_stopped',
          source: 'gateway',
          durationSec: 300,
        },
        liveTranscript: callLog.transcription_turns,
        transcript: {
          text: 'caller: final',
          language: 'he',
          segments: callLog.final_segments,
          quality: callLog.transcript_quality,
        },
        analysis: { language: 'he', keywords: ['paint'], summary: { maxSentences: 5, tone: 'formal' } },
        stages: { transcriber: callLog.stages.transcriber },
        notify: false,
      },
    });
  });

  test('keeps the summary and who made it when only the fields are made again', () => {
    const event = reanalysisEvent(callLog, { from: 'summarized', settings, notify: true, now });
    expect(callSummarizedSchema.parse(event)).toMatchObject({
      id: `${callLog.callSid}:summarizer:r4`,
      revision: 4,
      data: {
        summary: 'Wants paint.',
        notify: true,
        stages: { transcriber: callLog.stages.transcriber, summarizer: callLog.stages.summarizer },
      },
    });
    expect(event.data.stages).not.toHaveProperty('extractor');
  });

  test.each([
    [{ final_transcript: null }, 'transcribed', 'no_transcript'],
    [{ final_transcript: null }, 'summarized', 'no_transcript'],
    [{ summary: null }, 'summarized', 'no_summary'],
    [{ summary: null }, 'transcribed', null],
    [{}, 'summarized', null],
  ] as const)('%j from %s has the obstacle %s', (missing, from, obstacle) => {
    expect(obstacleOf({ ...callLog, ...missing }, from)).toBe(obstacle);
  });
});

describe('the estimate', () => {
  test('adds up the parts that are made again, at the prices of today', () => {
    const both = withCall(NOTHING, callLog, 'transcribed', KNOWN_PRICES);
    expect(both).toEqual({ calls: 1, costUsd: 0.00045, unknown: 0, inputTokens: 3_000, outputTokens: 300 });
    expect(withCall(both, callLog, 'summarized', KNOWN_PRICES)).toMatchObject({ calls: 2, costUsd: 0.00075 });
  });

  test('counts a call whose cost nobody knows as unknown, not as free', () => {
    const other = { ...callLog.stages.extractor, model: 'own-model', costUsd: null };
    const log = { ...callLog, stages: { ...callLog.stages, extractor: other } } as CallLog;
    expect(withCall(NOTHING, log, 'summarized', KNOWN_PRICES)).toMatchObject({ calls: 1, costUsd: 0, unknown: 1 });
  });
});

describe('the difference', () => {
  test('of a CallLog to itself is none, and of changed parts exactly these', () => {
    expect(isSame(differenceOf(callLog, callLog))).toBe(true);
    const fields = [
      { key: 'city', value: 'Acre', status: 'found' as const, evidence: null },
      { key: 'budget', value: 5, status: 'found' as const, evidence: null },
    ];
    expect(differenceOf(callLog, { ...callLog, summary: 'Other.', status: 'partial', fields })).toEqual({
      status: { before: 'complete', after: 'partial' },
      summary: { before: 'Wants paint.', after: 'Other.' },
      fields: [
        { key: 'city', before: { status: 'found', value: 'Haifa' }, after: { status: 'found', value: 'Acre' } },
        { key: 'budget', before: null, after: { status: 'found', value: 5 } },
        { key: 'service', before: { status: 'not_mentioned', value: null }, after: null },
      ],
    });
  });
});

describe('the pace', () => {
  test('never lets more through than its rate, whenever they ask', async () => {
    const asks = fc.array(fc.nat({ max: 3_000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(asks, fc.integer({ min: 1, max: 20 }), async (gaps, perSecond) => {
        let clock = 0;
        const let1 = createPace(
          perSecond,
          () => clock,
          async (ms) => void (clock += ms),
        );
        const passed: number[] = [];
        for (const gap of gaps) {
          clock += gap;
          await let1(never);
          passed.push(clock);
        }
        const tooSoon = passed.slice(1).filter((at, index) => at - (passed[index] ?? 0) < 1_000 / perSecond - 1e-6);
        expect(tooSoon).toEqual([]);
      }),
    );
  });
});

describe('a call that is worked again', () => {
  const options = { from: 'transcribed', notify: false, businessId: null, waitMs: 60_000 } as const;
  const deps = (more: Partial<RerunDeps> = {}) => {
    const published: unknown[] = [];
    const all: RerunDeps = {
      find: async () => ({ kind: 'call', callLog: { ...callLog, revision: callLog.revision + published.length } }),
      settings: async () => settings,
      publish: async (event) => void published.push(event),
      pace: async () => {},
      ...more,
    };
    return { all, published };
  };

  test('is published once, and shown when its next revision is stored', async () => {
    const { all, published } = deps();
    const outcome = await rerun(callLog.callSid, options, all, never);
    expect(outcome).toMatchObject({ kind: 'stored', revision: 4 });
    expect(published).toHaveLength(1);
    expect(outcomeText(outcome, false)).toBe(`${callLog.callSid}  revision 4: says the same`);
  });

  test.each([
    ['leaves what stood', true],
    ['replaces what was no better', false],
  ])('and fails is told as failed, with the reasons, whether it %s', async (_what, stands) => {
    const failed = { ...callLog.stages.extractor, state: 'failed', code: 'OUTPUT_INVALID' };
    const stages = { ...callLog.stages, extractor: failed } as CallLog['stages'];
    const after: CallLog = {
      ...callLog,
      revision: 4,
      ...(stands ? { failed_revision: { revision: 4, stages } } : { stages }),
    };
    let looks = 0;
    const { all } = deps({ find: async () => ({ kind: 'call', callLog: (looks += 1) === 1 ? callLog : after }) });
    const outcome = await rerun(callLog.callSid, options, all, never);
    expect(outcome).toMatchObject({ kind: 'failed', revision: 4, codes: ['extractor OUTPUT_INVALID'], stands });
    expect(outcomeText(outcome, false)).toContain('revision 4 failed: extractor OUTPUT_INVALID');
  });

  test('that does not come in time is told as waiting', async () => {
    const { all } = deps({ find: async () => ({ kind: 'call', callLog }) });
    expect(await rerun(callLog.callSid, { ...options, waitMs: 1 }, all, never)).toMatchObject({ kind: 'waiting' });
  });

  test.each([
    ['is not stored', { find: async () => ({ kind: 'none' as const }) }, 'not_stored'],
    ['is erased', { find: async () => ({ kind: 'erased' as const, businessId: 'biz_1', revision: 1 }) }, 'erased'],
    [
      'is past its retention',
      { find: async () => ({ kind: 'expired' as const, businessId: 'b', revision: 1 }) },
      'expired',
    ],
    ['belongs to a business without settings', { settings: async () => null }, 'no_settings'],
  ])('that %s is skipped and nothing is published', async (_name, more, why) => {
    const { all, published } = deps(more);
    expect(await rerun(callLog.callSid, options, all, never)).toEqual({
      kind: 'skipped',
      callSid: callLog.callSid,
      why,
    });
    expect(published).toEqual([]);
  });

  test('of another business than the one that was named is skipped', async () => {
    const candidate = await candidateOf(callLog.callSid, { ...options, businessId: 'biz_2' }, deps().all, never);
    expect(candidate).toMatchObject({ kind: 'skipped', why: 'other_business' });
  });
});

describe('the calls of a stretch of time', () => {
  const marks = ['a', 'b', 'c'].map((callSid, at) => ({
    callSid,
    businessId: at === 1 ? 'biz_2' : 'biz_1',
    revision: 1,
    storedAt: now,
  }));
  const reader = {
    storedIn: async ({ after }: { after?: { callSid: string } }) =>
      after === undefined
        ? { marks: marks.slice(0, 2), next: { storedAt: now, callSid: 'b' } }
        : { marks: marks.slice(2), next: null },
  };
  const stored = { kind: 'stored', from: now, to: now, businessId: null } as const;

  test('come page by page, of one business where it is named', async () => {
    expect(await listed(callSidsOf(stored, reader, never))).toEqual(['a', 'b', 'c']);
    const own = { ...stored, businessId: 'biz_1' };
    expect(await listed(callSidsOf(own, reader, never))).toEqual(['a', 'c']);
  });

  test('are worked a few at a time, and the first failure ends the work', async () => {
    let running = 0;
    let most = 0;
    await eachBounded(
      callSidsOf(stored, reader, never),
      2,
      async () => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
      never,
    );
    expect(most).toBe(2);
    const failing = eachBounded(
      callSidsOf(stored, reader, never),
      2,
      async () => Promise.reject(new Error('first')),
      never,
    );
    await expect(failing).rejects.toThrow('first');
  });
});
