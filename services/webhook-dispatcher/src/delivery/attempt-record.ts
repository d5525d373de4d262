import type { AttemptOutcome, AttemptRecord, DeliveryRow, Trigger } from '@pipeline/call-store/deliveries';
import type { EndpointRequest, SendResult } from '@pipeline/egress';
import { traceId } from '@pipeline/messaging';
import { partsOfUrl, withoutEchoes } from './echoes.ts';
import type { Outcome } from './outcome.ts';

/** Headers whose value is ours and no secret; of all others only the name is recorded. */
const SHOWN_HEADERS = new Set([
  'user-agent',
  'content-type',
  'webhook-id',
  'webhook-timestamp',
  'webhook-attempt',
  'webhook-replay',
  'traceparent',
]);

/** Which process made an attempt, who wanted it, and the trace that it is part of. */
export type Maker = { readonly worker: string; readonly trigger: Trigger; readonly traceparent: string };

/** What is remembered of a request and its answer: the host of the URL and no more of it, no secret, nothing that the answer quotes of them. */
export function recordOf(request: EndpointRequest, result: SendResult, outcome: Outcome, of: Maker): AttemptRecord {
  const answer = result.kind === 'answered' ? result : null;
  const headers = Object.entries(request.headers);
  const secrets = headers.flatMap(([name, value]) => (SHOWN_HEADERS.has(name) ? [] : [value]));
  const hidden = [...secrets, ...partsOfUrl(request.url)];
  const answered = Object.entries(answer?.headers ?? {});
  const texts = [...answered.map(([, value]) => value), answer?.excerpt ?? ''];
  const shown = withoutEchoes(texts, hidden);
  return {
    trigger: of.trigger,
    worker: of.worker,
    host: URL.canParse(request.url) ? new URL(request.url).host : null,
    address: result.address,
    phases: result.phases,
    httpStatus: answer?.status ?? null,
    code: outcome.code,
    requestHeaders: Object.fromEntries(
      headers.map(([name, value]) => [name, SHOWN_HEADERS.has(name) ? value : '[removed]']),
    ),
    responseHeaders: Object.fromEntries(answered.map(([name], place) => [name, shown[place] ?? ''])),
    responseExcerpt: answer === null ? null : (shown.at(-1) ?? ''),
    traceId: traceId(of.traceparent) ?? null,
    ...(answer?.certificateEndsAt && { certificateEndsAt: answer.certificateEndsAt }),
  };
}

/** Of free failures in a row the 1st, 2nd, 4th, 8th .. are recorded: they may go on for days, and one is like the other. */
export function keptOf(
  attempt: AttemptRecord,
  { ownFailures }: Pick<DeliveryRow, 'ownFailures'>,
  { charged = true }: Pick<AttemptOutcome, 'charged'>,
): AttemptRecord | null {
  return charged || Number.isInteger(Math.log2((ownFailures?.count ?? 0) + 1)) ? attempt : null;
}

/** An attempt that an error of our own ended: what the error says stays in our log. */
export function brokenOff({ worker, trigger, traceparent }: Maker, ms: number): AttemptRecord {
  return {
    trigger,
    worker,
    host: null,
    address: null,
    phases: { dns: null, connect: null, tls: null, firstByte: null, total: Math.round(ms) },
    httpStatus: null,
    code: 'internal_error',
    requestHeaders: {},
    responseHeaders: {},
    responseExcerpt: null,
    traceId: traceId(traceparent) ?? null,
  };
}
