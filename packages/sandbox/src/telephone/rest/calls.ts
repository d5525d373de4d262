import { isFinal, type Call } from '../call/call.ts';
import { notFound, restError, type RestAnswer, type RestRequest, type RestState } from './answer.ts';
import type { CallListBehaviour } from './call-list-behaviour.ts';
import { callRow, page } from './rows.ts';

const PAGE = { usual: 50, most: 1_000 };

/** Calls, the newest first, filtered by whole UTC days of their end, page by page. */
export function listCalls(state: RestState, { url }: RestRequest): RestAnswer {
  const refused = state.callList.takeRefusal();
  if (refused !== undefined) return refusal(refused);
  const query = url.searchParams;
  const size = Math.min(PAGE.most, Math.max(1, Number(query.get('PageSize') ?? PAGE.usual) || PAGE.usual));
  const number = Math.max(0, Number(query.get('Page') ?? 0) || 0);
  const fitting = [...state.calls.values()].filter((call) => isWanted(call, query)).toReversed();
  const after = query.get('PageToken')?.slice('PA'.length);
  const place = fitting.findIndex((call) => call.callSid === after) + 1;
  // At least one row of a page is new, or the list would not end.
  const from = after === undefined ? number * size : place - Math.min(state.callList.repeats(), size - 1, place);
  const rows = fitting.slice(from, from + size);
  const last = rows.at(-1);
  const hasNext = last !== undefined && from + size < fitting.length;
  const next = hasNext ? nextLink(url, size, number + 1, last.callSid) : null;
  const shown = rows.map((call) => callRow(call, state.options.accountSid));
  return { status: 200, json: page('calls', shown, { url, size, number, next }) };
}

function refusal({ status, retryAfter }: NonNullable<CallListBehaviour['refuse']>): RestAnswer {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return { ...restError(status, status === 429 ? 20_429 : 20_500, 'The list is not available'), headers };
}

/** One call. */
export function showCall(state: RestState, _request: RestRequest, sid: string): RestAnswer {
  const call = state.calls.get(sid);
  if (call === undefined) return notFound(sid);
  return { status: 200, json: callRow(call, state.options.accountSid) };
}

/** `Status=completed` ends a running call. */
export function changeCall(state: RestState, request: RestRequest, sid: string): RestAnswer {
  const call = state.calls.get(sid);
  if (call === undefined) return notFound(sid);
  if (request.form.get('Status') !== 'completed') return restError(400, 21_218, 'Only Status=completed is supported');
  if (isFinal(call.status)) return restError(400, 21_220, 'Call is not in-progress. Cannot redirect.');
  call.ending.abort('operator');
  return { status: 200, json: callRow(call, state.options.accountSid) };
}

function isWanted(call: Call, query: URLSearchParams): boolean {
  const status = query.get('Status');
  if (status !== null && status !== call.status) return false;
  const from = dayOf(query.get('EndTime>'));
  const to = dayOf(query.get('EndTime<'));
  const on = dayOf(query.get('EndTime'));
  if (from === null && to === null && on === null) return true;
  if (call.endedAt === null) return false;
  const day = new Date(call.endedAt).toISOString().slice(0, 10);
  return (from === null || day >= from) && (to === null || day <= to) && (on === null || day === on);
}

/** The UTC day of a date or a date-time; Twilio promises no finer filter. */
function dayOf(value: string | null): string | null {
  if (value === null || Number.isNaN(Date.parse(value))) return null;
  return new Date(value).toISOString().slice(0, 10);
}

function nextLink(url: URL, size: number, number: number, lastSid: string): string {
  const query = new URLSearchParams(url.search);
  query.set('PageSize', String(size));
  query.set('Page', String(number));
  query.set('PageToken', `PA${lastSid}`);
  return `${url.pathname}?${query.toString()}`;
}
