import { rfc2822 } from '../account.ts';
import { isFinal, type Call, type CallRecording } from '../call/call.ts';

const API = '/2010-04-01/Accounts';

/** A call as the REST side shows it. Dates are RFC 2822, the duration is a string of seconds. */
export function callRow(call: Call, accountSid: string): Record<string, unknown> {
  return {
    sid: call.callSid,
    account_sid: accountSid,
    parent_call_sid: null,
    from: call.from,
    to: call.to,
    direction: call.direction,
    status: call.status,
    start_time: call.startedAt === null ? null : rfc2822(call.startedAt),
    end_time: call.endedAt === null ? null : rfc2822(call.endedAt),
    duration: isFinal(call.status) ? String(call.durationSec ?? 0) : null,
    date_created: rfc2822(call.createdAt),
    date_updated: rfc2822(call.endedAt ?? call.startedAt ?? call.createdAt),
    answered_by: null,
    caller_name: null,
    api_version: '2010-04-01',
    price: null,
    price_unit: 'USD',
    uri: `${API}/${accountSid}/Calls/${call.callSid}.json`,
  };
}

/**
 * A recording as the REST side shows it in `status`: `channels` is a number, `duration` a string of seconds, -1 while it is
 * not known.
 */
export function recordingRow(
  call: Call,
  recording: CallRecording,
  shown: { readonly status: string; readonly channels: 1 | 2 },
  accountSid: string,
): Record<string, unknown> {
  const seconds = shown.status === 'completed' ? Math.round(recording.audio.durationMs / 1_000) : -1;
  return {
    sid: recording.sid,
    account_sid: accountSid,
    call_sid: call.callSid,
    conference_sid: null,
    status: shown.status,
    channels: shown.channels,
    track: 'both',
    source: 'StartCallRecordingTwiML',
    duration: String(seconds),
    error_code: null,
    start_time: rfc2822(recording.startedAt),
    date_created: rfc2822(recording.startedAt),
    date_updated: rfc2822(call.endedAt ?? recording.startedAt),
    price: null,
    price_unit: 'USD',
    encryption_details: null,
    api_version: '2010-04-01',
    uri: `${API}/${accountSid}/Recordings/${recording.sid}.json`,
  };
}

/** One page of a list under its Twilio name. `next` is the link to the page after it, as a path with a query. */
export function page(
  name: 'calls' | 'recordings',
  rows: readonly Record<string, unknown>[],
  at: { readonly url: URL; readonly size: number; readonly number: number; readonly next: string | null },
): Record<string, unknown> {
  const first = new URLSearchParams(at.url.search);
  first.delete('PageToken');
  first.set('Page', '0');
  first.set('PageSize', String(at.size));
  const from = at.number * at.size;
  return {
    [name]: rows,
    first_page_uri: `${at.url.pathname}?${first.toString()}`,
    next_page_uri: at.next,
    previous_page_uri: null,
    page: at.number,
    page_size: at.size,
    start: from,
    end: from + Math.max(0, rows.length - 1),
    uri: `${at.url.pathname}${at.url.search}`,
  };
}
