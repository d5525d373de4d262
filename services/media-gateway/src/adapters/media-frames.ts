import { callSidSchema } from '@pipeline/contracts';
import { z } from 'zod';
import { audioMs, isBase64, silenceOf } from './mulaw.ts';
import { parseUsualFrame } from './usual-frame.ts';

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
const markSchema = z.object({ mark: z.object({ name: z.string().max(300) }) });

const IGNORED = { kind: 'ignored' } as const;
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
  /** Milliseconds since the start of the stream at the end of the last audio; `null` as long as no frame has said a time. */
  let heardUntilMs: number | null = null;

  const read = (text: string): MediaFrame => {
    const frame = parseUsualFrame(text) ?? parseObject(text);
    if (!isConnected) {
      if (frame['event'] !== 'connected') throw new MediaProtocolError('not_connected_first');
      isConnected = true;
      return IGNORED;
    }
    if (isRepeated(frame['sequenceNumber'])) return { kind: 'dropped', reason: 'repeated' };
    if (frame['event'] === 'start') return readStart(frame);
    if (!STREAM_EVENTS.has(frame['event'])) return IGNORED;
    if (streamSid === null) throw new MediaProtocolError('before_start');
    if (frame['streamSid'] !== streamSid) throw new MediaProtocolError('other_stream');
    return frame['event'] === 'media' ? readMedia(frame['media']) : readStreamFrame(frame);
  };

  /** 50 of these a second and call, so it is checked by hand. */
  const readMedia = (media: unknown): MediaFrame => {
    if (!isFields(media)) throw new MediaProtocolError('bad_media');
    const { track, payload, timestamp } = media;
    if (typeof payload !== 'string' || !isBase64(payload)) throw new MediaProtocolError('bad_payload');
    if ((track !== undefined && track !== 'inbound') || payload === '') return IGNORED;
    const ms = audioMs(payload);
    if (timestamp === undefined) return { kind: 'media_audio', payload, ms };
    if (typeof timestamp !== 'string' || !WHOLE_NUMBER.test(timestamp)) throw new MediaProtocolError('bad_timestamp');
    const atMs = Number(timestamp);
    const missingMs = heardUntilMs === null ? 0 : atMs - heardUntilMs;
    heardUntilMs = atMs + ms;
    if (missingMs < -ms) return { kind: 'dropped', reason: 'time_goes_back' };
    if (missingMs < MIN_GAP_MS) return { kind: 'media_audio', payload, ms };
    const silence = silenceOf(Math.min(missingMs, MAX_GAP_MS));
    return { kind: 'media_audio', payload: silence + payload, ms: ms + audioMs(silence) };
  };

  const isRepeated = (sequence: unknown): boolean => {
    if (sequence === undefined) return false;
    if (typeof sequence !== 'string' || !WHOLE_NUMBER.test(sequence)) throw new MediaProtocolError('bad_sequence');
    if (Number(sequence) <= lastSequence) return true;
    lastSequence = Number(sequence);
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

const STREAM_EVENTS: ReadonlySet<unknown> = new Set(['media', 'mark', 'stop']);

type Fields = Readonly<Record<string, unknown>>;

function readStreamFrame(frame: Fields): MediaFrame {
  if (frame['event'] !== 'mark') return { kind: 'media_stopped' };
  const parsed = markSchema.safeParse(frame);
  if (!parsed.success) throw new MediaProtocolError('bad_mark');
  return { kind: 'media_mark', name: parsed.data.mark.name };
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
