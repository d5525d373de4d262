import { callSidSchema } from '@pipeline/contracts';
import { z } from 'zod';
import { audioMs, isBase64, silenceOf } from './mulaw.ts';
import { parseUsualFrame, type UsualFrame } from './usual-frame.ts';

/** What a frame of Twilio's media stream means for us. */
export type MediaFrame =
  | { readonly kind: 'start'; readonly callSid: string; readonly streamSid: string; readonly token: string }
  | { readonly kind: 'media_audio'; readonly payload: string; readonly ms: number }
  | { readonly kind: 'media_mark'; readonly name: string }
  | { readonly kind: 'media_stopped' }
  | { readonly kind: 'ignored' }
  /** Dropped and counted under `reason`; the stream goes on. */
  | { readonly kind: 'dropped'; readonly reason: string };

/** The other side does not speak Twilio's protocol. `reason` is a label of a metric. */
export class MediaProtocolError extends Error {
  override readonly name = 'MediaProtocolError';
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

export type FrameReader = { read(text: string): MediaFrame };

const startSchema = z.object({
  streamSid: z.string().regex(/^MZ[0-9a-f]{32}$/),
  start: z.object({
    accountSid: z.string(),
    callSid: callSidSchema,
    streamSid: z.string(),
    mediaFormat: z.object({
      encoding: z.literal('audio/x-mulaw'),
      sampleRate: z.literal(8_000),
      channels: z.literal(1),
    }),
    customParameters: z.object({ token: z.string().min(1).max(256) }),
  }),
});

const IGNORED = { kind: 'ignored' } as const;
const REPEATED = { kind: 'dropped', reason: 'repeated' } as const;
const MAX_MARK_CHARS = 300;
/** Decimal digits that stay an exact number. */
const WHOLE_NUMBER = /^\d{1,15}$/;
/** A smaller one is the unevenness of a clock, not missing audio. */
const MIN_GAP_MS = 60;
/** A longer hole in the audio is filled no further: the agent has heard long before that the line is quiet. */
const MAX_GAP_MS = 10_000;

/**
 * Reads one stream, frame by frame: `connected`, then one `start`, then the rest of that stream in the order of its sequence
 * numbers and times. A frame that comes again or whose time goes back is dropped. Where time is missing, silence is put before
 * the audio that follows, so that the agent's clock and ours stay the caller's. Throws a MediaProtocolError at the first frame that
 * breaks the protocol. Events that we do not know are ignored, as Twilio asks.
 */
export function createFrameReader(accountSid: string): FrameReader {
  let isConnected = false;
  let streamSid: string | null = null;
  let lastSequence = 0;
  const hear = createAudioClock();

  const read = (text: string): MediaFrame => {
    const usual = streamSid === null ? null : parseUsualFrame(text);
    return usual === null ? readAny(parseObject(text)) : readUsual(usual);
  };

  /** What `readAny` makes of the same frame. */
  const readUsual = (frame: UsualFrame): MediaFrame => {
    if (isOld(frame.sequence)) return REPEATED;
    if (frame.streamSid !== streamSid) throw new MediaProtocolError('other_stream');
    return isHeard(frame.track, frame.payload) ? hear(frame.payload, frame.atMs) : IGNORED;
  };

  const readAny = (frame: Fields): MediaFrame => {
    if (!isConnected) {
      if (frame['event'] !== 'connected') throw new MediaProtocolError('not_connected_first');
      isConnected = true;
      return IGNORED;
    }
    if (isRepeated(frame['sequenceNumber'])) return REPEATED;
    if (frame['event'] === 'start') return readStart(frame);
    if (!STREAM_EVENTS.has(frame['event'])) return IGNORED;
    if (streamSid === null) throw new MediaProtocolError('before_start');
    if (frame['streamSid'] !== streamSid) throw new MediaProtocolError('other_stream');
    return frame['event'] === 'media' ? readMedia(frame['media']) : readStreamFrame(frame);
  };

  const readMedia = (media: unknown): MediaFrame => {
    if (!isFields(media)) throw new MediaProtocolError('bad_media');
    const { track, payload, timestamp } = media;
    if (typeof payload !== 'string' || !isBase64(payload)) throw new MediaProtocolError('bad_payload');
    if (!isHeard(track, payload)) return IGNORED;
    if (timestamp === undefined) return { kind: 'media_audio', payload, ms: audioMs(payload) };
    if (typeof timestamp !== 'string' || !WHOLE_NUMBER.test(timestamp)) throw new MediaProtocolError('bad_timestamp');
    return hear(payload, Number(timestamp));
  };

  const isRepeated = (sequence: unknown): boolean => {
    if (sequence === undefined) return false;
    if (typeof sequence !== 'string' || !WHOLE_NUMBER.test(sequence)) throw new MediaProtocolError('bad_sequence');
    return isOld(Number(sequence));
  };

  const isOld = (sequence: number): boolean => {
    if (sequence <= lastSequence) return true;
    lastSequence = sequence;
    return false;
  };

  const readStart = (frame: object): MediaFrame => {
    if (streamSid !== null) throw new MediaProtocolError('second_start');
    const parsed = startSchema.safeParse(frame);
    if (!parsed.success) throw new MediaProtocolError('bad_start');
    const { start } = parsed.data;
    if (start.accountSid !== accountSid) throw new MediaProtocolError('other_account');
    if (start.streamSid !== parsed.data.streamSid) throw new MediaProtocolError('bad_start');
    streamSid = start.streamSid;
    return { kind: 'start', callSid: start.callSid, streamSid, token: start.customParameters.token };
  };

  return { read };
}

/** Audio with its place in the stream: a frame whose time goes back is dropped, and where time is missing there is silence. */
function createAudioClock(): (payload: string, atMs: number) => MediaFrame {
  /** Milliseconds since the start of the stream at the end of the last audio; `null` as long as no frame has said a time. */
  let heardUntilMs: number | null = null;

  return (payload, atMs) => {
    const ms = audioMs(payload);
    const missingMs = heardUntilMs === null ? 0 : atMs - heardUntilMs;
    heardUntilMs = atMs + ms;
    if (missingMs < -ms) return { kind: 'dropped', reason: 'time_goes_back' };
    if (missingMs < MIN_GAP_MS) return { kind: 'media_audio', payload, ms };
    const silence = silenceOf(Math.min(missingMs, MAX_GAP_MS));
    return { kind: 'media_audio', payload: silence + payload, ms: ms + audioMs(silence) };
  };
}

const STREAM_EVENTS: ReadonlySet<unknown> = new Set(['media', 'mark', 'stop']);

type Fields = Readonly<Record<string, unknown>>;

/** Audio of the caller, and some of it. */
function isHeard(track: unknown, payload: string): boolean {
  return (track === undefined || track === 'inbound') && payload !== '';
}

function readStreamFrame(frame: Fields): MediaFrame {
  if (frame['event'] !== 'mark') return { kind: 'media_stopped' };
  // One comes back for every piece of audio, so it is checked by hand.
  const name = isFields(frame['mark']) ? frame['mark']['name'] : undefined;
  if (typeof name !== 'string' || name.length > MAX_MARK_CHARS) throw new MediaProtocolError('bad_mark');
  return { kind: 'media_mark', name };
}

function parseObject(text: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new MediaProtocolError('bad_json');
  }
  if (!isFields(parsed)) throw new MediaProtocolError('bad_json');
  return parsed;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
