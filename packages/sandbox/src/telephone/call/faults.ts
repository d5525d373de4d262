/** What goes wrong in one call on purpose. Times are audio time from the start of the media stream. */
export type CallFaults = {
  /** Requests that carry a wrong signature. */
  readonly wrongSignature?: readonly ('voice' | 'media' | 'status')[];
  /** Cuts the socket without a word, as a network does. */
  readonly dropSocketAfterMs?: number;
  /** Closes the socket at the end without `stop`. */
  readonly noStop?: boolean;
  /** Sends `start` twice. */
  readonly duplicateStart?: boolean;
  /** Frames in between: text, or bytes as a binary frame. See {@link ODD_FRAMES}. */
  readonly oddFrames?: readonly { readonly afterMs: number; readonly frame: string | Buffer }[];
  /** Default `once`: after the socket closed. `early`: before `stop`. */
  readonly statusCallback?: 'once' | 'twice' | 'missing' | 'early';
  /** Milliseconds on the wall between the end of the call and its status callback. Default 0. */
  readonly statusCallbackDelayMs?: number;
};

/** Frames that no telephone network sends. */
export const ODD_FRAMES = {
  badJson: '{"event":"media","media":{',
  /** A media frame of a megabyte. */
  big: JSON.stringify({
    event: 'media',
    media: { track: 'inbound', chunk: '0', timestamp: '0', payload: 'f39/'.repeat(256 * 1024) },
  }),
  unknownEvent: JSON.stringify({ event: 'weather', sequenceNumber: '0' }),
  binary: Buffer.from([0xff, 0xfe, 0x00]),
} as const;
