import { stat } from 'node:fs/promises';
import { newSid, rfc2822 } from '../account.ts';
import { notFound, restError, type RestAnswer, type RestRequest } from './answer.ts';
import { page } from './rows.ts';

/** A recording that did not come from a call that was placed: any bytes, however odd, as the media of a row that says anything. */
export type KeptRecording = {
  /** Its bytes, or a file that is streamed, for recordings of hours. */
  readonly media: Uint8Array | { readonly path: string };
  /** Default 2; a recording of one channel refuses `RequestedChannels=2`. */
  readonly channels?: 1 | 2;
  /** Fields of the row that differ from those of a completed recording. */
  readonly row?: Readonly<Record<string, unknown>>;
  /** Default `audio/x-wav`. */
  readonly contentType?: string;
  /** The media begins and then says nothing more. */
  readonly isStalled?: boolean;
};

/** The ended calls whose recordings were given, not made. */
export type KeptCalls = {
  /** Keeps a call with these recordings, in order of time, a minute apart. */
  keep(recordings: readonly KeptRecording[]): { readonly callSid: string; readonly recordingSids: readonly string[] };
  list(request: RestRequest, callSid: string): RestAnswer | null;
  media(request: RestRequest, recordingSid: string): Promise<RestAnswer | null>;
};

type Kept = {
  readonly sid: string;
  readonly callSid: string;
  readonly startedAt: number;
  readonly given: KeptRecording;
};

/** An empty {@link KeptCalls}. */
export function createKeptCalls(accountSid: string): KeptCalls {
  const recordings: Kept[] = [];
  return {
    keep: (all) => {
      const callSid = newSid('CA');
      const startedAt = Date.now();
      const kept = all.map((given, at) => ({ sid: newSid('RE'), callSid, startedAt: startedAt + at * 60_000, given }));
      recordings.push(...kept);
      return { callSid, recordingSids: kept.map(({ sid }) => sid) };
    },
    list: ({ url }, callSid) => {
      const rows = recordings.filter((one) => one.callSid === callSid).map((one) => rowOf(one, accountSid));
      if (rows.length === 0) return null;
      return { status: 200, json: page('recordings', rows, { url, size: 50, number: 0, next: null }) };
    },
    media: async ({ url }, recordingSid) => {
      const kept = recordings.find(({ sid }) => sid === recordingSid);
      if (kept === undefined) return null;
      const { media, channels = 2, contentType = 'audio/x-wav', isStalled = false } = kept.given;
      if (url.searchParams.get('RequestedChannels') === '2' && channels === 1) {
        return restError(400, 16_113, 'Requested number of channels is not available');
      }
      if (media instanceof Uint8Array) return { status: 200, file: Buffer.from(media), contentType, isStalled };
      const found = await stat(media.path).catch(() => null);
      if (found === null) return notFound(recordingSid);
      return { status: 200, path: media.path, bytes: found.size, contentType, isStalled };
    },
  };
}

function rowOf({ sid, callSid, startedAt, given }: Kept, accountSid: string): Record<string, unknown> {
  return {
    sid,
    account_sid: accountSid,
    call_sid: callSid,
    status: 'completed',
    channels: given.channels ?? 2,
    track: 'both',
    source: 'StartCallRecordingTwiML',
    duration: '10',
    error_code: null,
    start_time: rfc2822(startedAt),
    date_created: rfc2822(startedAt),
    date_updated: rfc2822(startedAt),
    encryption_details: null,
    api_version: '2010-04-01',
    uri: `/2010-04-01/Accounts/${accountSid}/Recordings/${sid}.json`,
    ...given.row,
  };
}
