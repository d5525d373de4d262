import { Agent, request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { PermanentError, providerFailure, RetryLaterError, type FailureCode } from '@pipeline/contracts';
import type { OpenRecordings, SoughtCall } from '../handler.ts';
import { chooseRecordings, offsetsOf, type ListedRecording } from '../recording/lookup.ts';
import { spool, type SpooledAudio } from './spool.ts';

export type TwilioOptions = {
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  /** Bytes of audio of one call. */
  readonly maxAudioBytes: number;
  /** Where temporary files go. Default the system's own place. */
  readonly directory?: string;
  /** Milliseconds for a look-up and for a download as a whole. Defaults 15 s and 10 min. */
  readonly lookupTimeoutMs?: number;
  readonly downloadTimeoutMs?: number;
};

export type Twilio = {
  openRecordings(call: SoughtCall, signal: AbortSignal): Promise<OpenRecordings>;
  close(): Promise<void>;
};

/** A list of recordings is some kilobytes; the look-up reads no more than this. */
const MAX_LIST_BYTES = 1_048_576;
const MAX_REDIRECTS = 3;
const MEDIA_TYPE = 'audio/x-wav, audio/wav';

/** Recordings by Twilio's REST API (2010-04-01): one look-up by CallSid, then the media of what is complete. */
export function createTwilio(options: TwilioOptions): Twilio {
  const dispatcher = new Agent({ connect: { timeout: 10_000 }, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const account = `${options.baseUrl}/2010-04-01/Accounts/${options.accountSid}`;
  const authorization = `Basic ${Buffer.from(`${options.apiKeySid}:${options.apiKeySecret}`).toString('base64')}`;
  const get = (url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Dispatcher.ResponseData> =>
    request(url, { dispatcher, headers, signal });

  const list = (callSid: string, outer: AbortSignal): Promise<ListedRecording[]> =>
    withDeadline(outer, options.lookupTimeoutMs ?? 15_000, async (signal) => {
      const url = `${account}/Calls/${callSid}/Recordings.json?PageSize=100`;
      const response = await get(url, { authorization, accept: 'application/json' }, signal);
      if (response.statusCode !== 200) throw await refusal(response, { path: 'list', isRedirected: false });
      return parseList(await readText(response.body, MAX_LIST_BYTES), callSid);
    });

  const download = (recordingSid: string, maxBytes: number, outer: AbortSignal): Promise<SpooledAudio> =>
    withDeadline(outer, options.downloadTimeoutMs ?? 600_000, async (signal) => {
      const url = `${account}/Recordings/${recordingSid}.wav`;
      const both = await follow(get, `${url}?RequestedChannels=2`, authorization, signal);
      // A recording of one channel answers 400 to a request for two.
      const isMono = both.response.statusCode === 400;
      if (isMono) await both.response.body.dump();
      const { response, isRedirected } = isMono ? await follow(get, url, authorization, signal) : both;
      if (response.statusCode !== 200) throw await refusal(response, { path: 'media', isRedirected });
      await refuseText(response);
      await refuseSize(response, maxBytes);
      return spool(response.body, maxBytes, options.directory);
    });

  const openRecordings: Twilio['openRecordings'] = async (call, signal) => {
    const chosen = chooseRecordings(await list(call.callSid, signal), call);
    const offsets = offsetsOf(chosen);
    const opened: SpooledAudio[] = [];
    const close = async (): Promise<void> => void (await Promise.all(opened.map((audio) => audio.close())));
    try {
      for (const { sid } of chosen) {
        const used = opened.reduce((sum, { source }) => sum + source.size, 0);
        opened.push(await download(sid, options.maxAudioBytes - used, signal));
      }
    } catch (error) {
      await close();
      throw error;
    }
    const recordings = opened.map(({ source }, index) => ({ source, offsetMs: offsets[index] ?? 0 }));
    return { recordings, close };
  };
  return { openRecordings, close: () => dispatcher.close() };
}

const rowSchema = z.object({
  sid: z.string().regex(/^RE[0-9a-f]{32}$/),
  call_sid: z.string(),
  status: z.string(),
  channels: z.coerce.number().int().min(1).max(8).catch(1),
  duration: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .nullable()
    .catch(null),
  encryption_details: z.unknown().optional(),
  start_time: z.string().transform(Date.parse).refine(Number.isFinite).nullable().catch(null),
});
const listSchema = z.object({ recordings: z.array(z.unknown()).max(1_000) });

/** The rows of a list that are recordings of this call. A row without a proper RecordingSid is never fetched. */
function parseList(body: string, callSid: string): ListedRecording[] {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) throw again('the list of recordings is not readable', 'RECORDING_NOT_FOUND', list.error);
  return list.data.recordings.flatMap((row) => {
    const parsed = rowSchema.safeParse(row);
    if (!parsed.success || parsed.data.call_sid !== callSid) return [];
    const { sid, status, channels, duration, start_time, encryption_details } = parsed.data;
    const isEncrypted = encryption_details !== null && encryption_details !== undefined;
    return [{ sid, status, channels, durationSec: duration, startedAtMs: start_time, isEncrypted }];
  });
}

type Followed = { readonly response: Dispatcher.ResponseData; readonly isRedirected: boolean };
type Get = (url: string, headers: Record<string, string>, signal: AbortSignal) => Promise<Dispatcher.ResponseData>;

/** GET that follows redirects to Twilio's hosts and to nobody else, and sends our credentials to the first address only. */
async function follow(get: Get, first: string, authorization: string, signal: AbortSignal): Promise<Followed> {
  let url = new URL(first);
  let response = await get(first, { authorization, accept: MEDIA_TYPE }, signal);
  for (let hop = 0; isRedirect(response); hop += 1) {
    const location = headerOf(response, 'location');
    await response.body.dump();
    const target = location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (hop === MAX_REDIRECTS || target === undefined || !isAllowed(target, new URL(first))) {
      throw new PermanentError('RECORDING_REFUSED', { message: 'the recording redirects where we do not go' });
    }
    url = target;
    response = await get(url.href, { accept: MEDIA_TYPE }, signal);
  }
  return { response, isRedirected: url.href !== first };
}

function isRedirect(response: Dispatcher.ResponseData): boolean {
  return [301, 302, 303, 307, 308].includes(response.statusCode);
}

function isAllowed(target: URL, first: URL): boolean {
  if (target.username !== '' || target.password !== '') return false;
  return target.origin === first.origin || (target.protocol === 'https:' && /(^|\.)twilio\.com$/.test(target.hostname));
}

/** What a status other than 200 means (telephony reference, look-up table): Twilio's 404 is "not yet", never a missing model. */
async function refusal(
  response: Dispatcher.ResponseData,
  from: { readonly path: 'list' | 'media'; readonly isRedirected: boolean },
): Promise<RetryLaterError | PermanentError> {
  await response.body.dump();
  const status = response.statusCode;
  // The host behind a redirect never saw our credentials: it refuses a link that has run out, and the next look-up has a new one.
  const isStaleLink = from.isRedirected && (status === 401 || status === 403);
  if (status === 404 || isStaleLink) return again(`Twilio answered ${status}`, 'RECORDING_NOT_FOUND');
  if (status === 410 && from.path === 'media') return new PermanentError('RECORDING_DELETED');
  const failure = providerFailure(
    { provider: 'Twilio', status, retryAfter: headerOf(response, 'retry-after') },
    Date.now(),
  );
  return failure instanceof PermanentError
    ? new PermanentError('RECORDING_REFUSED', { message: failure.message })
    : failure;
}

/** An error page that comes with 200, from a proxy say, is no recording: later there may be one. */
async function refuseText(response: Dispatcher.ResponseData): Promise<void> {
  if (!/^(text|application\/(json|xml))/i.test(headerOf(response, 'content-type') ?? '')) return;
  await response.body.dump();
  throw again('the recording is a text', 'AUDIO_UNREADABLE');
}

/** A length that is said beforehand spares the download; the bound on the way is what counts. */
async function refuseSize(response: Dispatcher.ResponseData, maxBytes: number): Promise<void> {
  if (Number(headerOf(response, 'content-length') ?? 0) <= maxBytes) return;
  response.body.destroy();
  throw new PermanentError('AUDIO_TOO_LARGE');
}

function again(message: string, code: FailureCode, cause?: unknown): RetryLaterError {
  return new RetryLaterError(message, { deadline: 'recording', code, cause });
}

/** Runs a request under a total deadline. What breaks on the way, the deadline too, is "again"; our own shutdown stays itself. */
async function withDeadline<T>(outer: AbortSignal, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await work(AbortSignal.any([outer, AbortSignal.timeout(ms)]));
  } catch (error) {
    outer.throwIfAborted();
    if (error instanceof RetryLaterError || error instanceof PermanentError) throw error;
    throw providerFailure({ provider: 'Twilio', cause: error }, Date.now());
  }
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw again('the list of recordings is too long', 'RECORDING_NOT_FOUND');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
