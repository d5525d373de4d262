import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callEndedSchema, PermanentError, type CallEnded } from '@pipeline/contracts';
import type { EndedCall } from './ended-call.ts';
import { business, endedCall, NOW, NUMBER, sidOf } from './fixtures.ts';
import { reconcile, type ReconcilerDeps } from './handler.ts';
import type { Facts, Verdict } from './verdict.ts';
import { LONGEST_SWEEP_MS, type Mark } from './watermark.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const RULES = {
  settleMs: 2 * MINUTE,
  overlapMs: 10 * MINUTE,
  lookbackMs: 4 * DAY,
  stuckAfterMs: 3 * DAY,
};
const never = new AbortController().signal;
const OWNED = business();

/** Everything that a run may meet, in memory. */
type Place = {
  calls: EndedCall[];
  stored: Map<string, Exclude<Facts['stored'], 'none'>>;
  inStream: Set<string>;
  watermark: number | null;
  /** A sweep that is not over. */
  sweep: Mark['sweep'];
  /** Pages after which a run has used its time, and how often a page was given out. */
  pagesOfRun: number;
  given: number;
  /** Twilio knows no page by the name it gave it. */
  isForgetful: boolean;
  published: CallEnded[];
  told: [string, Verdict['kind']][];
  /** Rows on a page, and how many of them the next page repeats. */
  pageSize: number;
  repeats: number;
  /** Publishes that succeed before the process dies. */
  diesAfter: number;
};

function placeOf(more: Partial<Place> = {}): Place {
  return {
    calls: [],
    stored: new Map(),
    inStream: new Set(),
    watermark: null,
    sweep: null,
    pagesOfRun: Number.POSITIVE_INFINITY,
    given: 0,
    isForgetful: false,
    published: [],
    told: [],
    pageSize: 1_000,
    repeats: 0,
    diesAfter: Number.POSITIVE_INFINITY,
    ...more,
  };
}

function depsOf(place: Place, now: number): ReconcilerDeps {
  return {
    time: async () => now,
    listEnded: async function* (_sinceMs, from) {
      if (from !== null && place.isForgetful)
        throw new PermanentError('PROVIDER_REJECTED', { message: 'no such page' });
      const step = Math.max(1, place.pageSize - place.repeats);
      for (let at = Number(from ?? 0); at === 0 || at < place.calls.length; at += step) {
        place.given += 1;
        const next = at + step < place.calls.length ? String(at + step) : null;
        yield { calls: place.calls.slice(at, at + place.pageSize), unreadable: 0, next };
      }
    },
    storedKinds: async (callSids) => new Map([...place.stored].filter(([callSid]) => callSids.includes(callSid))),
    ownerOf: async (number) => {
      if (number === NUMBER) return OWNED;
      return number === '+97299' ? 'unreadable' : number === '+97298' ? 'doubtful' : 'nobody';
    },
    hasEvent: async (_businessId, callSid) => place.inStream.has(callSid),
    publish: async (event) => {
      if (place.diesAfter <= 0) throw new Error('killed');
      place.diesAfter -= 1;
      place.published.push(event);
      place.inStream.add(event.callSid);
    },
    readMark: async () => (place.watermark === null ? null : { watermark: place.watermark, sweep: place.sweep }),
    writeMark: async ({ watermark, sweep }) => void Object.assign(place, { watermark, sweep }),
    isEnough: () => place.given % place.pagesOfRun === 0,
    report: (call, { kind }) => void place.told.push([call.callSid, kind]),
  };
}

const run = (place: Place, now = NOW) => reconcile(depsOf(place, now), RULES, never);
const publishedOf = (place: Place): string[] => place.published.map(({ callSid }) => callSid);

describe('a call that is nowhere with us', () => {
  test("is published with the gateway's own id and revision, no live transcript, and its business's settings", async () => {
    const place = placeOf({ calls: [endedCall()] });
    expect((await run(place)).calls).toEqual({ missing: 1 });
    const [event] = place.published;
    expect(callEndedSchema.parse(event)).toEqual(event);
    expect(event).toEqual({
      type: 'call.ended',
      version: 1,
      id: `${sidOf(1)}:media-gateway:r1`,
      occurredAt: '2025-12-09T11:00:00.000Z',
      businessId: 'biz_1',
      callSid: sidOf(1),
      revision: 1,
      data: {
        call: {
          from: '+972501234567',
          to: NUMBER,
          direction: 'inbound',
          startedAt: '2025-12-09T10:59:00.000Z',
          endedAt: '2025-12-09T11:00:00.000Z',
          durationSec: 60,
          endedReason: 'completed',
          source: 'reconciled',
        },
        analysis: { language: 'he', keywords: ['שיפוצים'], summary: { maxSentences: 2, tone: 'formal' } },
        liveTranscript: null,
      },
    });
  });

  test.each<[string, Partial<EndedCall>, string | null]>([
    [
      'an outbound call belongs to who dialled',
      { direction: 'outbound', from: NUMBER, to: '+972501234567' },
      'completed',
    ],
    ['and not to who was dialled', { direction: 'outbound', from: '+972501234567' }, null],
    ['F51 a call that nobody answered', { status: 'no-answer', startedAt: null, durationSec: 0 }, 'no_answer'],
    ['F51 a call that was given up', { status: 'canceled', startedAt: null, durationSec: 0 }, 'canceled'],
    ['F51 a call that failed', { status: 'failed', startedAt: null, durationSec: null }, 'failed'],
    ['F51 a busy line that we called', { direction: 'outbound', from: NUMBER, status: 'busy', durationSec: 0 }, 'busy'],
    [
      'an outbound call that was answered and then refused by us: completed, as any other',
      { direction: 'outbound', from: NUMBER, to: '+972501234567', durationSec: 0 },
      'completed',
    ],
    ['a caller whom we refused with a busy tone never was a call', { status: 'busy', durationSec: 0 }, null],
    ['a leg of another call', { isChildLeg: true }, null],
    ['a number that nobody owns', { to: '+972000000' }, null],
    ['B20 no number at all', { to: null }, null],
    ['settings that cannot be read', { to: '+97299' }, null],
    ['a number that changed hands when the call began', { to: '+97298' }, null],
    ['B20 a withheld number of the caller', { from: 'anonymous' }, 'completed'],
  ])('%s', async (_what, more, reason) => {
    const place = placeOf({ calls: [endedCall(more)] });
    await run(place);
    expect(place.published.map(({ data }) => data.call.endedReason)).toEqual(reason === null ? [] : [reason]);
    for (const event of place.published) {
      expect(callEndedSchema.safeParse(event).error).toBeUndefined();
      expect(Date.parse(event.data.call.startedAt)).toBeLessThanOrEqual(Date.parse(event.data.call.endedAt));
    }
  });

  test('is of who had its number when it began: that moment is asked for, reckoned from the duration where Twilio does not say it', async () => {
    const asked: (number | string | null)[] = [];
    const ownerOf: ReconcilerDeps['ownerOf'] = async (number, at) => {
      asked.push(number, at);
      return OWNED;
    };
    const place = placeOf({ calls: [endedCall(), endedCall({ callSid: sidOf(2), startedAt: null, durationSec: 90 })] });
    await reconcile({ ...depsOf(place, NOW), ownerOf }, RULES, never);
    expect(asked).toEqual([NUMBER, NOW - 3_660_000, NUMBER, NOW - 3_690_000]);
  });

  test('is left to media-gateway for two minutes, to the millisecond', async () => {
    const place = placeOf({ calls: [endedCall({ endedAt: NOW - 2 * MINUTE + 1 })] });
    expect((await run(place)).calls).toEqual({ young: 1 });
    place.calls = [endedCall({ endedAt: NOW - 2 * MINUTE })];
    expect((await run(place)).calls).toEqual({ missing: 1 });
  });
});

describe('a call that is known', () => {
  test.each(['call', 'erased', 'expired'] as const)('as %s is never published again', async (kind) => {
    const place = placeOf({ calls: [endedCall()], stored: new Map([[sidOf(1), kind]]) });
    expect(await run(place)).toMatchObject({ calls: { known: 1 }, watermark: NOW - 2 * MINUTE });
    expect(place.published).toEqual([]);
  });

  test('to a stream alone is left to the stages, holds the watermark, and is told once no deadline can save it', async () => {
    const place = placeOf({ calls: [endedCall()], inStream: new Set([sidOf(1)]) });
    expect(await run(place)).toMatchObject({ calls: { in_work: 1 }, watermark: NOW - 60 * MINUTE });
    expect((await run(place, NOW + 3 * DAY)).calls).toEqual({ stuck: 1 });
    expect(place.published).toEqual([]);
  });
});

describe('the watermark', () => {
  test('without one a run looks four days back, and no farther', async () => {
    const [inside, before] = [endedCall({ endedAt: NOW - 4 * DAY }), endedCall({ endedAt: NOW - 4 * DAY - 1 })];
    const place = placeOf({ calls: [inside, { ...before, callSid: sidOf(2) }] });
    await run(place);
    expect(publishedOf(place)).toEqual([sidOf(1)]);
  });

  test('waits for the CallLog of what was published: with the streams lost right after, the call is found again', async () => {
    const place = placeOf({ calls: [endedCall()] });
    await run(place);
    place.inStream.clear();
    await run(place, NOW + 30 * MINUTE);
    expect(publishedOf(place)).toEqual([sidOf(1), sidOf(1)]);
    place.stored.set(sidOf(1), 'call');
    expect((await run(place, NOW + 60 * MINUTE)).watermark).toBe(NOW + 58 * MINUTE);
  });

  test('above the time of day counts as none: whatever clock wrote it had passed calls that nobody looked at', async () => {
    const place = placeOf({ calls: [endedCall({ endedAt: NOW - 4 * DAY })], watermark: NOW + 1 });
    expect(await run(place)).toMatchObject({ calls: { missing: 1 }, watermark: NOW - 4 * DAY });
    const exact = placeOf({ calls: [endedCall({ endedAt: NOW - 4 * DAY })], watermark: NOW });
    expect((await run(exact)).calls).toEqual({});
  });

  test('is not moved above the time of day by a sweep that a clock which was ahead has begun', async () => {
    const calls = [endedCall({ endedAt: NOW - 5 * MINUTE })];
    const sweep = { since: NOW - DAY, begun: NOW + 30 * MINUTE, oldestOpen: null, next: '1' };
    const place = placeOf({ calls, watermark: NOW - 10 * MINUTE, sweep });
    expect(await run(place)).toMatchObject({ calls: { missing: 1 }, watermark: NOW - 5 * MINUTE });
  });

  test('never reaches beyond thirty days: the shells of expired calls live 45', async () => {
    const place = placeOf({ calls: [endedCall({ endedAt: NOW - 31 * DAY })], watermark: NOW - 40 * DAY });
    await run(place);
    expect(place.published).toEqual([]);
  });
});

describe('a list that is too long for one run', () => {
  /** Seven calls on seven pages, and runs that have time for three. The oldest comes last, and was published long ago. */
  const longPlace = (more: Partial<Place> = {}): Place => {
    const calls = Array.from({ length: 7 }, (_, index) =>
      endedCall({ callSid: sidOf(index + 1), endedAt: NOW - (index + 3) * 60 * MINUTE }),
    );
    return placeOf({ calls, pageSize: 1, pagesOfRun: 3, watermark: NOW - 10 * 60 * MINUTE, ...more });
  };

  test('is done by several runs, none of which looks again at what was looked at, and the watermark moves with the last', async () => {
    const place = longPlace();
    const before = place.watermark;
    expect(await run(place)).toMatchObject({ isWhole: false, pages: 3, calls: { missing: 3 }, watermark: before });
    expect(await run(place, NOW + 5 * MINUTE)).toMatchObject({ isWhole: false, pages: 3, watermark: before });
    const last = await run(place, NOW + 10 * MINUTE);
    expect(last).toMatchObject({ isWhole: true, pages: 1, watermark: NOW - 9 * 60 * MINUTE });
    expect(publishedOf(place)).toEqual(place.calls.map(({ callSid }) => callSid));
    expect(place.sweep).toBeNull();
  });

  test('leaves what ended since to the next sweep: the watermark is not beyond the first of its runs', async () => {
    const place = longPlace();
    place.stored = new Map(place.calls.map(({ callSid }) => [callSid, 'call'] as const));
    for (const minutes of [0, 5, 10]) await run(place, NOW + minutes * MINUTE);
    expect(place.watermark).toBe(NOW - 2 * MINUTE);
  });

  test('a stuck call that a run has seen holds the watermark of the whole sweep', async () => {
    const place = longPlace({ pagesOfRun: 1 });
    place.stored = new Map(place.calls.slice(1).map(({ callSid }) => [callSid, 'call'] as const));
    place.inStream.add(sidOf(1));
    for (let runs = 0; runs < 7; runs += 1) await run(place);
    expect(place).toMatchObject({ sweep: null, watermark: NOW - 3 * 60 * MINUTE });
  });

  test('goes on after the last page that a run which was killed had worked', async () => {
    const place = longPlace({ pagesOfRun: Number.POSITIVE_INFINITY, diesAfter: 2 });
    await expect(run(place)).rejects.toThrow('killed');
    place.diesAfter = Number.POSITIVE_INFINITY;
    expect(await run(place)).toMatchObject({ isWhole: true, pages: 5, calls: { missing: 5 } });
  });

  test('begins anew when Twilio no longer knows the next page, and when that is hours ago', async () => {
    const place = longPlace();
    await run(place);
    place.isForgetful = true;
    await expect(run(place)).rejects.toThrow('no such page');
    expect(await run(place)).toMatchObject({ pages: 3, calls: { in_work: 3 } });
    place.pagesOfRun = Number.POSITIVE_INFINITY;
    expect(await run(place, NOW + LONGEST_SWEEP_MS + 1)).toMatchObject({ isWhole: true, pages: 7 });
  });
});

const anyCall = fc
  .record({
    endedAgo: fc.integer({ min: -MINUTE, max: 5 * DAY }),
    status: fc.constantFrom('completed', 'busy', 'no-answer', 'failed', 'canceled'),
    direction: fc.constantFrom('inbound', 'outbound'),
    isChildLeg: fc.boolean(),
    number: fc.constantFrom(NUMBER, NUMBER, NUMBER, '+972000000', '+97299'),
    stored: fc.constantFrom('none', 'none', 'call', 'erased', 'expired'),
    inStream: fc.boolean(),
  })
  .map(({ endedAgo, number, stored, inStream, ...call }) => ({
    endedAt: NOW - endedAgo,
    number,
    stored,
    inStream,
    ...call,
  }));

const anyPlace = fc.record({
  drawn: fc.array(anyCall, { maxLength: 25 }),
  watermarkAgo: fc.option(fc.integer({ min: 0, max: 4 * DAY })),
  pageSize: fc.integer({ min: 1, max: 7 }),
  repeats: fc.nat(4),
  diesAfter: fc.nat(6),
});

/** Which calls have to be published, written anew and by the letter of the rule: the checker shares nothing with the product. */
function owed(place: Place, since: number, now: number): EndedCall[] {
  return unfinished(place, since, now).filter(({ callSid }) => !place.inStream.has(callSid));
}

/** Calls of ours that have neither CallLog nor tombstone. */
function unfinished(place: Place, since: number, now: number): EndedCall[] {
  return place.calls.filter((call) => {
    const number = call.direction === 'inbound' ? call.to : call.from;
    const isOurs = number === NUMBER && !call.isChildLeg && !(call.direction === 'inbound' && call.status === 'busy');
    const isOld = now - call.endedAt >= 2 * MINUTE && call.endedAt >= since;
    return isOurs && isOld && !place.stored.has(call.callSid);
  });
}

describe('property: whatever Twilio lists and whatever is stored', () => {
  const make = ({
    drawn,
    watermarkAgo,
    pageSize,
    repeats,
  }: typeof anyPlace extends fc.Arbitrary<infer T> ? T : never) =>
    placeOf({
      calls: drawn.map(({ number, stored: _stored, inStream: _inStream, direction, ...call }, index) => ({
        ...endedCall({ ...call, callSid: sidOf(index), startedAt: null, direction }),
        ...(direction === 'inbound' ? { to: number } : { from: number }),
      })),
      stored: new Map(drawn.flatMap(({ stored }, index) => (stored === 'none' ? [] : [[sidOf(index), stored]]))),
      inStream: new Set(drawn.flatMap(({ inStream }, index) => (inStream ? [sidOf(index)] : []))),
      watermark: watermarkAgo === null ? null : NOW - watermarkAgo,
      pageSize,
      repeats,
    });
  const sinceOf = (place: Place): number => (place.watermark === null ? NOW - 4 * DAY : place.watermark - 10 * MINUTE);

  test('F54 exactly the calls that are owed are published, once each, over shifting pages; the watermark passes no open call', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, async (drawn) => {
        const place = make(drawn);
        const since = sinceOf(place);
        const expected = owed(place, since, NOW).map(({ callSid }) => callSid);
        const { watermark } = await run(place);
        expect(publishedOf(place).toSorted()).toEqual(expected.toSorted());
        expect(place.watermark).toBe(watermark);
        expect(watermark).toBeLessThanOrEqual(NOW - 2 * MINUTE);
        for (const call of unfinished(place, since, NOW)) expect(watermark).toBeLessThanOrEqual(call.endedAt);
        expect(new Set(place.told.map(([callSid]) => callSid)).size).toBe(place.told.length);
      }),
      { numRuns: 3_000 },
    );
  });

  test('F21 a run that dies after any publish leaves the watermark, and the next one does the rest and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, async (drawn) => {
        const place = make(drawn);
        const before = place.watermark;
        const expected = owed(place, sinceOf(place), NOW).map(({ callSid }) => callSid);
        place.diesAfter = drawn.diesAfter;
        const died = await run(place).then(
          () => false,
          () => true,
        );
        expect(died).toBe(expected.length > drawn.diesAfter);
        // Where a run without a watermark began.
        const start = before ?? NOW - 4 * DAY + 10 * MINUTE;
        expect(!died || (place.watermark ?? start) === start, 'the watermark of a run that died').toBe(true);
        place.diesAfter = Number.POSITIVE_INFINITY;
        await run(place);
        expect(publishedOf(place).toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 3_000 },
    );
  });

  test('F54 as many runs as the list needs publish what one would, once each, and end at the same watermark', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, fc.integer({ min: 1, max: 4 }), async (drawn, pagesOfRun) => {
        const [whole, cut] = [make(drawn), { ...make(drawn), pagesOfRun }];
        await run(whole);
        let runs = 0;
        while (!(await run(cut)).isWhole) expect((runs += 1)).toBeLessThan(100);
        expect(publishedOf(cut).toSorted()).toEqual(publishedOf(whole).toSorted());
        expect(cut.watermark).toBe(whole.watermark);
      }),
      { numRuns: 1_000 },
    );
  });

  test('F23 I15 with all streams and the watermark lost, every call of four days that has no end yet is published, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, async (drawn) => {
        const place = make(drawn);
        await run(place);
        place.published.length = 0;
        place.inStream.clear();
        place.watermark = null;
        const expected = owed(place, NOW - 4 * DAY, NOW).map(({ callSid }) => callSid);
        await run(place);
        expect(publishedOf(place).toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 1_000 },
    );
  });

  test('two runs at once publish what one would, under the same ids', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlace, async (drawn) => {
        const place = make(drawn);
        const expected = owed(place, sinceOf(place), NOW).map(({ callSid }) => `${callSid}:media-gateway:r1`);
        await Promise.all([run(place), run(place)]);
        // The stream stores one event for an id.
        expect([...new Set(place.published.map(({ id }) => id))].toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 1_000 },
    );
  });
});
