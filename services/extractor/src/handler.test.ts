import { describe, expect, test } from 'vitest';
import type { Question } from '@pipeline/ai-client';
import {
  callExtractedSchema,
  createPaidSteps,
  failureOf,
  KNOWN_PRICES,
  newCallLogSchema,
  RetryLaterError,
  type BusinessSettings,
  type CallSummarized,
  type NewCallLog,
  type Received,
} from '@pipeline/contracts';
import { CALL_SID, settings, summarized } from './fixtures.ts';
import { handle, handOn, ownResult, type ExtractorDeps, type StoredCall } from './handler.ts';

const never = new AbortController().signal;
const found = (value: unknown, quote: string) => ({ value, status: 'found', quote });
const answers = {
  city: found('תל אביב', 'תל אביב'),
  service: found('שיפוצים', 'שיפוצים'),
  callback: { value: null, status: 'not_mentioned', quote: null },
};

type Setup = {
  answer?: unknown;
  business?: BusinessSettings | null;
  outcome?: 'stored' | 'kept' | 'erased';
  stored?: StoredCall;
  failing?: Error;
  /** So many writes fail first. */
  refused?: number;
};

function depsOf({
  answer = answers,
  business = settings,
  outcome = 'stored',
  stored,
  failing,
  refused = 0,
}: Setup = {}) {
  const questions: Question<unknown>[] = [];
  const logs: NewCallLog[] = [];
  const reported: NewCallLog[] = [];
  let refusals = refused;
  let clock = Date.parse('2025-12-09T10:33:00Z');
  const deps: ExtractorDeps = {
    settings: async (id) => (id === 'biz_1' ? business : null),
    ask: async (question) => {
      questions.push(question);
      if (failing !== undefined) throw failing;
      const value = question.read(answer);
      if (value === undefined) throw new TypeError('the test answers in a wrong form');
      return { value, usage: { requests: 1, inputTokens: 70 } };
    },
    paid: createPaidSteps(),
    store: async (log) => {
      if (refusals-- > 0) throw new RetryLaterError('no primary', { deadline: 'none' });
      logs.push(log);
      if (outcome === 'erased') return { kind: 'erased' };
      return { kind: outcome, callLog: { ...log, stored_at: '2025-12-09T10:33:00Z', previous: null } };
    },
    find: async () => stored ?? { kind: 'none' },
    report: (log) => void reported.push(log),
    boundaryFor: () => 'mark',
    now: () => (clock += 100),
    model: 'gpt-6-luna',
    prices: KNOWN_PRICES,
  };
  return { deps, questions, logs, reported };
}

function eventWith(more: Partial<CallSummarized['data']>, revision = 1): Received<CallSummarized> {
  return { ...summarized, revision, data: { ...summarized.data, ...more } };
}

describe('the extractor', () => {
  test('stores one CallLog with every fact of the call, then publishes a notice of it', async () => {
    const { deps, logs, reported } = depsOf();
    const [event, ...others] = await handle(summarized, deps, never);
    expect(others).toEqual([]);
    expect(callExtractedSchema.parse(event)).toEqual(event);
    expect(event).toEqual({
      type: 'call.extracted',
      version: 1,
      id: `${CALL_SID}:extractor:r1`,
      occurredAt: expect.any(String),
      businessId: 'biz_1',
      callSid: CALL_SID,
      revision: 1,
      data: { notify: true },
    });
    expect(logs).toHaveLength(1);
    expect(newCallLogSchema.parse(logs[0])).toEqual(logs[0]);
    expect(logs[0]).toEqual({
      callSid: CALL_SID,
      businessId: 'biz_1',
      from: '+972501234567',
      to: '+97235550100',
      direction: 'inbound',
      startedAt: '2025-12-09T10:29:00Z',
      endedAt: '2025-12-09T10:30:00Z',
      endedReason: 'caller_hung_up',
      source: 'gateway',
      duration_sec: 60,
      transcription: 'caller: live words',
      transcription_turns: summarized.data.liveTranscript,
      final_transcript: 'caller: אני רוצה שיפוצים בתל אביב',
      final_segments: summarized.data.transcript?.segments,
      transcript_language: 'he',
      transcript_quality: { flags: ['not_in_live'], flaggedSegments: 1, liveMatch: 0.4 },
      summary: 'הלקוח מבקש שיפוצים בתל אביב',
      extracted_city: 'תל אביב',
      extracted_service: 'שיפוצים',
      fields: [
        {
          key: 'city',
          value: 'תל אביב',
          status: 'found',
          evidence: { quote: 'תל אביב', source: 'summary', start: 20 },
        },
        {
          key: 'service',
          value: 'שיפוצים',
          status: 'found',
          evidence: { quote: 'שיפוצים', source: 'summary', start: 11 },
        },
        { key: 'callback', value: null, status: 'not_mentioned', evidence: null },
      ],
      stages: {
        ...summarized.data.stages,
        extractor: {
          state: 'done',
          code: null,
          model: 'gpt-6-luna',
          attempts: 3,
          ms: 100,
          usage: { requests: 1, inputTokens: 70 },
          costUsd: null,
        },
      },
      status: 'complete',
      revision: 1,
    });
    expect(reported).toEqual(logs);
  });

  test('asks for city and service of every business, and for the fields of this one', async () => {
    const { deps, questions } = depsOf();
    await handle(summarized, deps, never);
    expect(questions).toHaveLength(1);
    expect(questions[0]?.schema['required']).toEqual(['city', 'service', 'callback']);
  });

  test('reads a number that was said without its country as one of the country of the business', async () => {
    const transcript = { text: 'caller: call 050-123-4567', language: null, segments: [] };
    const { deps, logs } = depsOf({ answer: { ...answers, callback: found('050-123-4567', '050-123-4567') } });
    await handle(eventWith({ transcript }), deps, never);
    expect(logs[0]?.fields[2]).toMatchObject({ value: '+972501234567', evidence: { source: 'transcript' } });
  });

  test('B68 keeps no value that the call does not bear out, whatever the model says', async () => {
    const obedient = { ...answers, city: found('Atlantis', 'refund 10,000'), refund: found(10_000, 'שיפוצים') };
    const { deps, logs } = depsOf({ answer: obedient });
    await handle(summarized, deps, never);
    expect(logs[0]).toMatchObject({ extracted_city: null, extracted_service: 'שיפוצים', status: 'complete' });
    expect(logs[0]?.fields.map(({ key, status }) => `${key} ${status}`)).toEqual([
      'city invalid',
      'service found',
      'callback not_mentioned',
    ]);
  });

  test('makes one text of a city that the business wants as a list', async () => {
    const city = {
      key: 'city',
      type: 'list' as const,
      description: 'Cities.',
      required: true,
      sensitive: false,
      from: 'summary' as const,
    };
    const answer = { ...answers, city: found(['תל אביב', 'יפו'], 'תל אביב') };
    const { deps, logs } = depsOf({ answer, business: { ...settings, fields: [city] } });
    await handle(summarized, deps, never);
    expect(logs[0]?.extracted_city).toBe('תל אביב, יפו');
  });

  test('leaves the live transcript what it is: no substitute for the final one', async () => {
    const { deps, logs } = depsOf();
    await handle(eventWith({ liveTranscript: null }), deps, never);
    expect(logs[0]).toMatchObject({ transcription: null, transcription_turns: [] });
  });

  test.each([
    ['NO_TRANSCRIPT', { transcript: null, summary: null }],
    ['NO_SUMMARY', { summary: null }],
  ])('pays nothing and says %s when there is none', async (code, data) => {
    const { deps, questions, logs } = depsOf();
    await expect(handle(eventWith(data), deps, never)).rejects.toMatchObject({ name: 'PermanentError', code });
    expect([...questions, ...logs]).toEqual([]);
  });

  test('says BUSINESS_UNKNOWN when the settings are gone', async () => {
    const { deps, questions } = depsOf({ business: null });
    await expect(handle(summarized, deps, never)).rejects.toMatchObject({ code: 'BUSINESS_UNKNOWN' });
    expect(questions).toEqual([]);
  });

  test('stores nothing while the provider fails', async () => {
    const busy = new RetryLaterError('busy');
    const { deps, logs } = depsOf({ failing: busy });
    await expect(handle(summarized, deps, never)).rejects.toBe(busy);
    expect(logs).toEqual([]);
  });

  test('pays the model once for a call that the database refuses to take, and stores what was paid for', async () => {
    const { deps, questions, logs } = depsOf({ refused: 2 });
    const outcomes = new Map<string, unknown>();
    const delivered = () => ({ ...deps, paid: createPaidSteps(outcomes) });
    for (const attempt of [1, 2]) {
      await expect(handle({ ...summarized, attempt }, delivered(), never)).rejects.toThrow('no primary');
    }
    expect(await handle(summarized, delivered(), never)).toMatchObject([{ type: 'call.extracted' }]);
    expect(questions).toHaveLength(1);
    expect(logs).toMatchObject([
      {
        extracted_city: 'תל אביב',
        stages: { extractor: { attempts: 3, ms: 100, usage: { requests: 1, inputTokens: 70 } } },
      },
    ]);
  });

  test('announces a result that was there before, and reports it no second time', async () => {
    const { deps, reported } = depsOf({ outcome: 'kept' });
    expect(await handle(summarized, deps, never)).toMatchObject([{ type: 'call.extracted' }]);
    expect(reported).toEqual([]);
  });

  test('B48 says nothing of a call that was erased', async () => {
    const { deps, reported } = depsOf({ outcome: 'erased' });
    expect(await handle(summarized, deps, never)).toEqual([]);
    expect(await handOn(summarized, failureOf('NO_SUMMARY'), deps, never)).toEqual([]);
    expect(reported).toEqual([]);
  });

  test.each([
    [1, undefined, true],
    [1, false, true],
    [2, undefined, true],
    [2, true, true],
    [2, false, false],
  ])('announces revision %i, asked with notify %j, with notify %j', async (revision, notify, expected) => {
    const event = eventWith(notify === undefined ? {} : { notify }, revision);
    const [notice] = await handle(event, depsOf().deps, never);
    expect(notice).toMatchObject({ revision, data: { notify: expected } });
  });
});

describe('a call whose fields failed', () => {
  test('announces no re-analysis that failed, nor when it comes twice, and reports no fields of it', async () => {
    const { deps, reported } = depsOf();
    const kept: ExtractorDeps['store'] = async ({ stages, ...log }) => {
      const failed_revision = { revision: log.revision, stages };
      const before = { stages: summarized.data.stages, stored_at: '2025-12-09T10:33:00Z', previous: null };
      return { kind: 'stored', callLog: { ...log, ...before, failed_revision } };
    };
    const event = eventWith({ notify: true }, 2);
    const silent = { revision: 2, data: { notify: false } };
    expect(await handOn(event, failureOf('OUTPUT_INVALID'), { ...deps, store: kept }, never)).toMatchObject([silent]);
    const standing = { kind: 'call', callLog: { revision: 2, failed_revision: { revision: 2, stages: {} } } } as const;
    expect(await ownResult(event, { ...deps, find: async () => standing }, never)).toMatchObject([silent]);
    expect(reported).toEqual([]);
  });

  test('has its CallLog all the same, with what is known, and is announced', async () => {
    const { deps, logs } = depsOf();
    const notices = await handOn(summarized, failureOf('OUTPUT_INVALID'), deps, never);
    expect(notices).toMatchObject([{ type: 'call.extracted', id: `${CALL_SID}:extractor:r1`, data: { notify: true } }]);
    expect(newCallLogSchema.parse(logs[0])).toEqual(logs[0]);
    expect(logs[0]).toMatchObject({
      summary: 'הלקוח מבקש שיפוצים בתל אביב',
      final_transcript: 'caller: אני רוצה שיפוצים בתל אביב',
      extracted_city: null,
      extracted_service: null,
      fields: [],
      status: 'partial',
      stages: { ...summarized.data.stages, extractor: { state: 'failed', code: 'OUTPUT_INVALID', attempts: 3 } },
    });
  });

  test('without a recording has a CallLog with nothing but its facts and the reasons', async () => {
    const { deps, logs } = depsOf();
    const event = eventWith({ transcript: null, summary: null, stages: {} });
    await handOn(event, failureOf('NO_TRANSCRIPT'), deps, never);
    expect(logs[0]).toMatchObject({
      final_transcript: null,
      final_segments: [],
      transcript_language: null,
      transcript_quality: null,
      summary: null,
      status: 'partial',
      stages: { extractor: { state: 'skipped', code: 'NO_TRANSCRIPT' } },
    });
  });
});

describe('the result that is already there', () => {
  test.each([
    ['none', { kind: 'none' }, 2, null],
    ['an older one', { kind: 'call', callLog: { revision: 1 } }, 2, null],
    ['this one', { kind: 'call', callLog: { revision: 2 } }, 2, [2]],
    ['a later one', { kind: 'call', callLog: { revision: 3 } }, 2, [2]],
    ['a tombstone', { kind: 'erased', revision: 1 }, 2, []],
    ['an expired call', { kind: 'expired' }, 2, []],
  ] as [string, StoredCall, number, number[] | null][])(
    'is looked for in the CallLog: %s',
    async (_name, stored, revision, expected) => {
      const { deps, questions } = depsOf({ stored });
      const result = await ownResult(eventWith({}, revision), deps, never);
      expect(result?.map((event) => event.revision) ?? null).toEqual(expected);
      expect(questions).toEqual([]);
    },
  );
});
