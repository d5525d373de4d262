import { expect, test } from 'vitest';
import type { DeliveryRow, DeliveryState, Endpoint } from '@pipeline/call-store/deliveries';
import { AT, storedAttempt, storedEndpoint, storedRow } from '../fixtures/stored.ts';
import type { CallEvent, CallFacts, SeenEvent, StoreFacts } from './facts.ts';
import { timelineOf } from './timeline.ts';
import { verdictOf } from './verdict.ts';

const CALL = 'CA00000000000000000000000000000001';
const NOTHING: Extract<StoreFacts, { kind: 'read' }> = { kind: 'read', call: { kind: 'none' }, deliveries: [] };

test.each([
  ['call.ended', 'transcriber has call.ended to do'],
  ['call.transcribed', 'summarizer has call.transcribed to do'],
  ['call.summarized', 'extractor has call.summarized to do'],
] as const)('a call whose last event is %s is with the stage that consumes it', (event, words) => {
  expect(verdictOf(facts({ events: upTo(event) }))).toMatchObject({
    ok: true,
    place: 'in_stage',
    words: expect.stringContaining(words),
  });
});

test('a stage that is through with an event and left no result is something to look at', () => {
  const events = { ...upTo('call.ended'), 'call.ended': seen(true) };
  expect(verdictOf(facts({ events }))).toMatchObject({ ok: false, words: expect.stringContaining('left no result') });
});

test('a dead letter says who set the call aside and why', () => {
  const deadLetter = { code: 'EVENT_INVALID', reason: 'no JSON', stage: 'summarizer', failedAt: AT.toISOString() };
  const verdict = verdictOf(facts({ events: upTo('call.transcribed'), deadLetter }));
  expect(verdict).toMatchObject({ ok: false, place: 'dead_letter' });
  expect(verdict.words).toContain('summarizer set the call aside in CALL_DEAD: EVENT_INVALID, no JSON');
  expect(verdict.words, 'and what to do next').toContain(`callctl dead replay ${CALL}`);
});

const STATES: Record<DeliveryState, readonly [boolean, string, string]> = {
  pending: [false, 'waiting_to_send', 'next attempt at 2025-12-09T10:30:00Z'],
  delivering: [false, 'waiting_to_send', 'being sent now'],
  delivered: [true, 'delivered', 'delivered at'],
  exhausted: [false, 'not_delivered', `callctl webhooks replay msg_${CALL}_completed`],
  disabled: [false, 'not_delivered', 'callctl webhooks resume biz_1 --force'],
  cancelled: [false, 'not_delivered', 'let go'],
  no_endpoint: [false, 'not_delivered', 'no inbound_webhook_url'],
};
test.each(Object.entries(STATES))('a delivery that is %s is told with what to do', (state, [ok, place, words]) => {
  const store = { ...NOTHING, deliveries: [{ row: rowIn(state as DeliveryState), attempts: [], endpoint: null }] };
  const verdict = verdictOf(facts({ store }));
  expect(verdict).toMatchObject({ ok, place });
  expect(verdict.words).toContain(words);
});

test('a webhook that nobody has tried is something to look at when its endpoint is stopped or does not answer', () => {
  const fresh = { ...rowIn('pending'), attempts: 0 };
  const of = (endpoint: Partial<Endpoint>) =>
    verdictOf(
      facts({
        store: { ...NOTHING, deliveries: [{ row: fresh, attempts: [], endpoint: storedEndpoint(endpoint) }] },
      }),
    );
  expect(of({})).toMatchObject({ ok: true, place: 'waiting_to_send' });
  const paused = of({ state: 'paused', reason: 'failing' });
  expect(paused).toMatchObject({ ok: false, words: expect.stringContaining('callctl webhooks test biz_1') });
  expect(of({ state: 'disabled', reason: 'endpoint_gone' }).ok).toBe(false);
  expect(of({ breaker: { openUntil: AT, opened: 1 } }).ok).toBe(false);
  // Both end by themselves.
  expect(of({ state: 'paused', reason: 'failing', resumesAt: AT }).ok).toBe(true);
  expect(of({ throttle: { until: new Date(Date.now() + 60_000), factor: 0.5 } }).ok).toBe(true);
});

test('a webhook whose last try failed on our side is something to look at, though no attempt counts', () => {
  const row = { ...rowIn('pending'), attempts: 0, ownFailures: { since: AT, count: 2 } };
  const attempt = storedAttempt({ code: 'internal_error', charged: false });
  const verdict = verdictOf(
    facts({ store: { ...NOTHING, deliveries: [{ row, attempts: [attempt], endpoint: null }] } }),
  );
  expect(verdict).toMatchObject({ ok: false, place: 'waiting_to_send' });
  expect(verdict.words).toContain(
    'The last 2 tries failed on our side, since 2025-12-09T10:30:00Z: An error of our own',
  );
});

test('what cannot be asked is said, and the other half is told all the same', () => {
  const gone = { kind: 'unreadable', reason: 'no NATS' } as const;
  expect(verdictOf({ ...facts({}), streams: gone })).toMatchObject({ place: 'unreadable', ok: false });
  const row = rowIn('delivered');
  const store = { ...NOTHING, deliveries: [{ row, attempts: [], endpoint: null }] };
  expect(verdictOf({ ...facts({ store }), streams: gone }).place).toBe('delivered');
  expect(timelineOf({ ...facts({ store }), streams: gone }, false).join('\n')).toContain('streams: not asked, no NATS');
  const blind = { kind: 'unreadable', reason: 'no server answers' } as const;
  const noStore = { ...facts({ events: upTo('call.ended') }), store: blind };
  expect(verdictOf(noStore).place).toBe('in_stage');
  expect(verdictOf({ ...noStore, streams: gone }).place).toBe('unreadable');
});

test('an erased call, an expired one, and one of which nothing is known', () => {
  const of = (call: typeof NOTHING.call) => verdictOf(facts({ store: { ...NOTHING, call } })).place;
  expect(of({ kind: 'erased', businessId: 'biz_1', revision: 2 })).toBe('erased');
  expect(of({ kind: 'expired', businessId: 'biz_1', revision: 1 })).toBe('expired');
  expect(verdictOf(facts({}))).toMatchObject({ ok: false, place: 'unknown' });
});

function facts(known: {
  readonly events?: Readonly<Record<CallEvent, SeenEvent | null>>;
  readonly deadLetter?: Extract<CallFacts['streams'], { kind: 'read' }>['deadLetter'];
  readonly store?: StoreFacts;
}): CallFacts {
  const { events = upTo(null), deadLetter = null, store = NOTHING } = known;
  return { callSid: CALL, businessId: 'biz_1', streams: { kind: 'read', events, deadLetter }, store };
}

function upTo(last: CallEvent | null): Record<CallEvent, SeenEvent | null> {
  const order = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const;
  const end = last === null ? -1 : order.indexOf(last);
  const at = (event: CallEvent): SeenEvent | null => (order.indexOf(event) > end ? null : seen(event !== last));
  return {
    'call.ended': at('call.ended'),
    'call.transcribed': at('call.transcribed'),
    'call.summarized': at('call.summarized'),
    'call.extracted': at('call.extracted'),
  };
}

function seen(isSettled: boolean): SeenEvent {
  return { seq: 1, revision: 1, storedAt: AT.getTime(), isSettled };
}

function rowIn(state: DeliveryState): DeliveryRow {
  const webhookId = `msg_${CALL}_completed`;
  return storedRow({ webhookId, callSid: CALL, state, lane: 'first', lease: { owner: 'x', until: AT } });
}
