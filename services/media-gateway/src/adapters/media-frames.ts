import { callSidSchema } from '@pipeline/contracts';
import { z } from 'zod';
import { audioMs, isBase64 } from './mulaw.ts';

/** What a frame of Twilio's media stream means for us. */
export type MediaFrame =
  | { readonly kind: 'start'; readonly callSid: string; readonly streamSid: string; readonly token: string }
  | { readonly kind: 'media_audio'; readonly payload: string; readonly ms: number }
  | { readonly kind: 'media_mark'; readonly name: string }
  | { readonly kind: 'media_stopped' }
  | { readonly kind: 'ignored' };

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
const SEQUENCE = /^\d{1,15}$/;

/**
 * Reads one stream, frame by frame: `connected`, then one `start`, then the rest of that stream in the order of its sequence
 * numbers (a repeated frame is ignored, a gap is not ours to mend). Throws a MediaProtocolError at the first frame that breaks
 * this. Events that we do not know are ignored, as Twilio asks.
 */
export function createFrameReader(accountSid: string): FrameReader {
  let isConnected = false;
  let streamSid: string | null = null;
  let lastSequence = 0;

  const read = (text: string): MediaFrame => {
    const frame = parseObject(text);
    if (!isConnected) {
      if (frame['event'] !== 'connected') throw new MediaProtocolError('not_connected_first');
      isConnected = true;
      return IGNORED;
    }
    if (isRepeated(frame['sequenceNumber'])) return IGNORED;
    if (frame['event'] === 'start') return readStart(frame);
    if (!STREAM_EVENTS.has(frame['event'])) return IGNORED;
    if (streamSid === null) throw new MediaProtocolError('before_start');
    if (frame['streamSid'] !== streamSid) throw new MediaProtocolError('other_stream');
    return readStreamFrame(frame);
  };

  const isRepeated = (sequence: unknown): boolean => {
    if (sequence === undefined) return false;
    if (typeof sequence !== 'string' || !SEQUENCE.test(sequence)) throw new MediaProtocolError('bad_sequence');
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

/** 50 of these a second and call, so it is checked by hand. */
function readStreamFrame(frame: Fields): MediaFrame {
  switch (frame['event']) {
    case 'media':
      return readMedia(frame['media']);
    case 'mark': {
      const parsed = markSchema.safeParse(frame);
      if (!parsed.success) throw new MediaProtocolError('bad_mark');
      return { kind: 'media_mark', name: parsed.data.mark.name };
    }
    default:
      return { kind: 'media_stopped' };
  }
}

function readMedia(media: unknown): MediaFrame {
  if (!isFields(media)) throw new MediaProtocolError('bad_media');
  const { track, payload } = media;
  if (typeof payload !== 'string' || !isBase64(payload)) throw new MediaProtocolError('bad_payload');
  if ((track !== undefined && track !== 'inbound') || payload === '') return IGNORED;
  return { kind: 'media_audio', payload, ms: audioMs(payload) };
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
