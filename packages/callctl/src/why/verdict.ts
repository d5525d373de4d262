import { CALL_EVENTS, consumerOf, type CallEvent, type CallFacts, type DeliveryFacts } from './facts.ts';
import type { StoredAttempt } from '@pipeline/call-store/deliveries';
import { meaningOf, rowStory } from '../webhooks/delivery-text.ts';

/** Where a call is, in one word for programs and in sentences for people. `ok` is false where somebody should do something. */
export type Verdict = { readonly ok: boolean; readonly place: Place; readonly words: string };

export type Place =
  | 'unknown'
  | 'erased'
  | 'expired'
  | 'in_stage'
  | 'dead_letter'
  | 'notice_missing'
  | 'not_dispatched'
  | 'waiting_to_send'
  | 'delivered'
  | 'not_delivered'
  | 'unreadable';

/** Answers "where is this call and why" from what is known, the furthest point first. */
export function verdictOf(facts: CallFacts): Verdict {
  const { streams, store } = facts;
  if (streams.kind === 'unreadable' && store.kind === 'unreadable') {
    return bad('unreadable', 'Neither the streams nor the databases could be asked, so nothing can be said.');
  }
  if (store.kind === 'read') {
    if (store.call.kind === 'erased')
      return fine('erased', 'The call was erased: a tombstone refuses every later result.');
    const [delivery] = store.deliveries.filter(({ row }) => row.eventType === 'call.completed');
    if (delivery !== undefined) return ofDelivery(delivery);
    if (store.call.kind === 'expired') return fine('expired', 'The call is past its retention and was emptied.');
    if (store.call.kind === 'call') return ofStoredCall(facts);
  }
  if (streams.kind === 'unreadable') {
    return bad('unreadable', `No CallLog is stored, and the streams could not be asked: ${streams.reason}.`);
  }
  return ofStreams(facts, streams);
}

function ofDelivery({ row, endpoint, attempts }: DeliveryFacts): Verdict {
  const words = `The call is stored and its webhook is ${rowStory(row, endpoint)}.`;
  switch (row.state) {
    case 'delivered':
      return fine('delivered', words);
    case 'pending': {
      const ours = ownFailures(row, attempts.at(-1));
      const isWaitingForSomebody = row.attempts > 0 || ours !== '' || isStopped(endpoint);
      return { ok: !isWaitingForSomebody, place: 'waiting_to_send', words: `${words}${ours}` };
    }
    case 'delivering':
      return { ok: row.attempts === 0, place: 'waiting_to_send', words };
    case 'exhausted':
    case 'disabled':
    case 'cancelled':
    case 'no_endpoint':
      return bad('not_delivered', words);
  }
}

/** Nothing leaves until somebody does something: mend the receiver, test it or resume it. */
function isStopped(endpoint: DeliveryFacts['endpoint']): boolean {
  if (endpoint === null) return false;
  return (endpoint.state !== 'active' && endpoint.resumesAt === null) || endpoint.breaker !== null;
}

/** The receiver is not to blame, and a count of attempts does not show them. */
function ownFailures({ ownFailures: own }: DeliveryFacts['row'], last: StoredAttempt | undefined): string {
  if (own === null) return '';
  const since = `${own.since.toISOString().slice(0, 19)}Z`;
  const times = own.count === 1 ? 'The last try' : `The last ${own.count} tries`;
  const meaning = last === undefined ? '.' : `: ${meaningOf(last)}`;
  return ` ${times} failed on our side, since ${since}${meaning} Look into the log of webhook-dispatcher.`;
}

/** A CallLog and no delivery row: the notice is on its way, or was lost. */
function ofStoredCall({ streams }: CallFacts): Verdict {
  const stored = 'The call is stored and has no delivery row';
  if (streams.kind === 'unreadable')
    return bad('not_dispatched', `${stored}; the streams could not be asked: ${streams.reason}.`);
  const notice = streams.events['call.extracted'];
  if (notice === null) {
    return bad(
      'notice_missing',
      `${stored}, and there is no notice in CALL_EXTRACTED. The reconciler publishes it again for calls stored within 4 days.`,
    );
  }
  const state = notice.isSettled
    ? 'though its notice was worked: look into callctl dead list --stage webhook-dispatcher and the log of webhook-dispatcher'
    : 'yet: webhook-dispatcher has not worked its notice. Is it running?';
  return { ok: !notice.isSettled, place: 'not_dispatched', words: `${stored}, ${state}.` };
}

type Read = Extract<CallFacts['streams'], { kind: 'read' }>;

function ofStreams(facts: CallFacts, { events, deadLetter }: Read): Verdict {
  const last = CALL_EVENTS.findLast((event) => events[event] !== null);
  if (deadLetter !== null) {
    return bad(
      'dead_letter',
      `${deadLetter.stage} set the call aside in CALL_DEAD: ${deadLetter.code}, ${deadLetter.reason}. Once the cause is mended: callctl dead replay ${facts.callSid} (callctl dead show ${facts.callSid} says whether this version reads it).`,
    );
  }
  if (last === undefined) return unknown(facts);
  return inStage(last, events[last]?.isSettled === true);
}

function inStage(event: CallEvent, isSettled: boolean): Verdict {
  const stage = consumerOf(event);
  if (isSettled) {
    return bad('in_stage', `${stage} is through with ${event} and left no result: look into its log for this call.`);
  }
  return fine(
    'in_stage',
    `${stage} has ${event} to do: it is in work, waits for another try, or stands behind other calls. When that lasts, look whether ${stage} runs, and at its metrics stage_paused and its lag.`,
  );
}

function unknown({ store }: CallFacts): Verdict {
  const asked =
    store.kind === 'unreadable'
      ? `; the databases could not be asked: ${store.reason}`
      : ', no CallLog and no delivery';
  return bad(
    'unknown',
    `Nothing is known of this call: no event in the streams, which keep 7 days${asked}. It has not ended yet, it never reached this pipeline (is its number in the settings of a business?), or it is older. A call that Twilio ended and nobody published is brought back by the reconciler within some minutes.`,
  );
}

function fine(place: Place, words: string): Verdict {
  return { ok: true, place, words };
}

function bad(place: Place, words: string): Verdict {
  return { ok: false, place, words };
}
