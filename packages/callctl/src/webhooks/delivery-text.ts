import {
  DRAIN_PER_SECOND,
  sendableFrom,
  type DeliveryRow,
  type Endpoint,
  type StoredAttempt,
} from '@pipeline/call-store/deliveries';
import { WEBHOOK_ATTEMPTS } from '@pipeline/contracts/webhook';
import { foreignText } from '../terminal-text.ts';

/** Days before the end of a receiver's certificate from which on it is told. */
const SOON_DAYS = 14;

/** A row for programs: everything but its bytes. */
export function rowJson({ body: _body, ...row }: DeliveryRow): object {
  return row;
}

/** A row as one line of a list. */
export function rowLine(row: DeliveryRow): string {
  return [iso(row.createdAt), row.state.padEnd(11), row.webhookId, `to ${row.endpointId}`, tries(row)].join('  ');
}

/** In plain words where a row stands and what happens next. */
export function rowStory(row: DeliveryRow, endpoint: Endpoint | null, now = new Date()): string {
  const after = row.attempts === 0 ? '' : ` after ${tries(row)}`;
  switch (row.state) {
    case 'pending':
      return `waiting${after}${waitingStory(row, endpoint, now)}`;
    case 'delivering':
      return `being sent now${after}, at the latest until ${row.lease === null ? '?' : iso(row.lease.until)}`;
    case 'delivered':
      return `delivered at ${iso(row.updatedAt)}, ${tries(row)}`;
    case 'exhausted':
      return `given up${after}: the schedule is used up. Send it again: callctl webhooks replay ${row.webhookId}`;
    case 'disabled':
      return `not sent any more${after}: the receiver asked for no more webhooks. When it wants them again: callctl webhooks resume ${row.endpointId} --force, then callctl webhooks replay ${row.webhookId}`;
    case 'cancelled':
      return `let go${after}: the receiver asked for that, or its bytes were erased`;
    case 'no_endpoint':
      return `kept: the business has no inbound_webhook_url. When it has one: callctl webhooks replay ${row.webhookId}`;
  }
}

/** When it goes on: not before the row is due, and not before its endpoint may be sent to. */
function waitingStory({ nextAttemptAt, lane }: DeliveryRow, endpoint: Endpoint | null, now: Date): string {
  const held = lane === 'test' ? null : heldBy(endpoint, now);
  if (nextAttemptAt === null) return held === null ? ', next attempt never' : `: ${held}`;
  if (endpoint === null || held === null) return `, next attempt at ${iso(nextAttemptAt)}`;
  const from = sendableFrom(endpoint, now);
  if (from === null) return `: ${held}`;
  return `, next attempt not before ${iso(from > nextAttemptAt ? from : nextAttemptAt)}: ${held}`;
}

/** What keeps an endpoint from being sent to as usual, in plain words; null when nothing does. */
export function heldBy(endpoint: Endpoint | null, now = new Date()): string | null {
  if (endpoint === null) return null;
  const { id, state, reason, since, resumesAt, breaker, throttle, isDraining } = endpoint;
  if (state !== 'active') {
    const soon = resumesAt === null ? '' : `, active again at ${iso(resumesAt)}`;
    return `the endpoint is ${state} since ${iso(since)} (${reason ?? 'unknown'})${soon}; ${wayOut(endpoint)}`;
  }
  const atOnce = `at once: callctl webhooks resume ${id} --force`;
  if (throttle !== null && throttle.until > now) {
    return `the receiver asked for a pause: nothing before ${iso(throttle.until)}; ${atOnce}`;
  }
  if (breaker !== null) {
    const next = breaker.openUntil > now ? `the next from ${iso(breaker.openUntil)} on` : 'the next one now';
    return `the endpoint does not answer, so one probe at a time is sent, ${next}; ${atOnce}`;
  }
  return isDraining ? `what waited during a pause goes out, at most ${DRAIN_PER_SECOND} a second; ${atOnce}` : null;
}

function wayOut({ id, reason, resumesAt }: Endpoint): string {
  if (resumesAt !== null) return 'what waits is sent then';
  return reason === 'operator'
    ? `callctl webhooks resume ${id}`
    : `mend the receiver, then: callctl webhooks test ${id}`;
}

/** Ends of an attempt that are certainly not the receiver's. What a resolver says may be either's. */
const OUR_FAULTS: readonly string[] = ['internal_error', 'sender_exhausted'];

/** True for an attempt that failed on our side, so that nothing at the receiver needs to be mended. */
export function isOurFault(attempt: StoredAttempt | undefined): boolean {
  return attempt !== undefined && OUR_FAULTS.includes(attempt.code);
}

/** What an attempt came to, in words. */
export function meaningOf({ code }: StoredAttempt): string {
  return Object.entries(WEBHOOK_ATTEMPTS).find(([name]) => name === code)?.[1].meaning ?? 'unknown';
}

/** One attempt as lines. All words of the receiver are made safe. */
export function attemptLines(attempt: StoredAttempt, isTerminal: boolean): string[] {
  const safe = (text: string): string => foreignText(text, isTerminal);
  const { code, phases, charged } = attempt;
  const status = attempt.httpStatus === null ? '' : `HTTP ${attempt.httpStatus}, `;
  const where =
    attempt.host === null ? '' : ` to ${safe(attempt.host)}${attempt.address === null ? '' : ` (${attempt.address})`}`;
  const free = charged ? '' : ', not charged';
  const times = Object.entries(phases).flatMap(([phase, ms]) => (ms === null ? [] : [`${phase} ${ms} ms`]));
  const excerpt = attempt.responseExcerpt?.trim() ?? '';
  return [
    `  ${attempt.number}. ${iso(attempt.at)}  ${status}${code}${free}${where}, ${attempt.trigger}`,
    `     ${meaningOf(attempt)}`,
    `     ${times.join(', ')}${attempt.traceId === null ? '' : `, trace ${attempt.traceId}`}`,
    ...(excerpt === '' ? [] : [`     it answered: ${safe(excerpt.slice(0, 300).replaceAll('\n', ' '))}`]),
    ...certificateLine(attempt),
    ...(attempt.nextAttemptAt === null ? [] : [`     next ${iso(attempt.nextAttemptAt)}`]),
  ];
}

/** Only when it ends soon: then somebody has to renew it. */
function certificateLine({ certificateEndsAt, at }: StoredAttempt): string[] {
  if (certificateEndsAt === undefined) return [];
  const days = Math.floor((certificateEndsAt.getTime() - at.getTime()) / 86_400_000);
  if (days >= SOON_DAYS) return [];
  return [
    `     its certificate ends ${iso(certificateEndsAt)}, ${days} ${days === 1 ? 'day' : 'days'} after this attempt`,
  ];
}

function tries({ attempts }: DeliveryRow): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`;
}

function iso(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
