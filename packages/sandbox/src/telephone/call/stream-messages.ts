import { z } from 'zod';
import { FRAME_MS } from '../line/audio.ts';

/** The frames of one media stream, Twilio to gateway: numbered from 1 over all of them, media also by itself. All numbers are strings. */
export type StreamMessages = {
  connected(): string;
  start(): string;
  /** 20 ms of the caller in mu-law. */
  media(frame: Buffer): string;
  /** The same of audio that is base64 already. */
  mediaOf(payload: string): string;
  mark(name: string): string;
  stop(): string;
};

export type StreamNames = {
  readonly accountSid: string;
  readonly callSid: string;
  readonly streamSid: string;
  readonly customParameters: Readonly<Record<string, string>>;
};

/** Numbers the frames of a new stream. */
export function createStreamMessages({
  accountSid,
  callSid,
  streamSid,
  customParameters,
}: StreamNames): StreamMessages {
  let sequence = 0;
  let chunk = 0;
  const numbered = (event: string, rest: object): string => {
    sequence += 1;
    return JSON.stringify({ event, sequenceNumber: String(sequence), ...rest, streamSid });
  };
  const mediaOf = (payload: string): string => {
    chunk += 1;
    const timestamp = String((chunk - 1) * FRAME_MS);
    return numbered('media', { media: { track: 'inbound', chunk: String(chunk), timestamp, payload } });
  };
  const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 };
  return {
    connected: () => JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }),
    start: () =>
      numbered('start', {
        start: { accountSid, streamSid, callSid, tracks: ['inbound'], mediaFormat, customParameters },
      }),
    media: (frame) => mediaOf(frame.toString('base64')),
    mediaOf,
    mark: (name) => numbered('mark', { mark: { name } }),
    stop: () => numbered('stop', { stop: { accountSid, callSid } }),
  };
}

/** What the gateway asks for. `broken` ends the stream, as error 31924 does; `strange` is passed over and noted. */
export type GatewayMessage =
  | { readonly kind: 'media'; readonly bytes: Buffer }
  | { readonly kind: 'mark'; readonly name: string }
  | { readonly kind: 'clear' }
  | { readonly kind: 'broken'; readonly problem: string }
  | { readonly kind: 'strange'; readonly problem: string };

const streamSid = z.string();
const messageSchema = z.discriminatedUnion('event', [
  z.looseObject({ event: z.literal('media'), streamSid, media: z.looseObject({ payload: z.base64() }) }),
  z.looseObject({ event: z.literal('mark'), streamSid, mark: z.looseObject({ name: z.string().min(1).max(1_024) }) }),
  z.looseObject({ event: z.literal('clear'), streamSid }),
]);

/** Reads a frame of the gateway. */
export function readGatewayMessage(text: string, ownStreamSid: string): GatewayMessage {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'broken', problem: 'the gateway sent a frame that is no JSON (31924)' };
  }
  const parsed = messageSchema.safeParse(json);
  if (!parsed.success) return { kind: 'strange', problem: `the gateway sent a strange frame: ${parsed.error.message}` };
  const message = parsed.data;
  if (message.streamSid !== ownStreamSid) return { kind: 'strange', problem: 'the gateway named another stream' };
  switch (message.event) {
    case 'media':
      return { kind: 'media', bytes: Buffer.from(message.media.payload, 'base64') };
    case 'mark':
      return { kind: 'mark', name: message.mark.name };
    case 'clear':
      return { kind: 'clear' };
  }
}
