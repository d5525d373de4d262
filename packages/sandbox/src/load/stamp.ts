/**
 * A frame of load says in its own audio which one it is: base64 text that begins with a marker and with decimal digits, which are
 * base64 characters, so that writing and reading one costs next to nothing. The rest is filler that is compared on arrival. A
 * gateway that keeps its promise (audio untouched) hands on exactly this text.
 */
export type Stamp = {
  /** Number of the call in its round. */
  readonly call: number;
  /** From 0, in each direction of each call. */
  readonly sequence: number;
  /** When it was sent, on the machine's clock. */
  readonly sentUs: number;
};

/** What a payload turns out to be: one of ours, one of ours whose bytes were changed, or another's. */
export type StampedFrame = { readonly kind: 'whole'; readonly stamp: Stamp } | { readonly kind: 'damaged' | 'foreign' };

const MARKER = 'LOAD';
const CALL_AT = MARKER.length;
const SEQUENCE_AT = CALL_AT + 8;
const TIME_AT = SEQUENCE_AT + 8;
/** A multiple of 4: whole groups of base64. */
const STAMP_CHARS = TIME_AT + 16;
const STAMP_BYTES = (STAMP_CHARS / 4) * 3;

const FOREIGN = { kind: 'foreign' } as const;
const DAMAGED = { kind: 'damaged' } as const;

/** Writes and reads the frames of one size: `bytes` of mu-law, at least 28. */
export type FrameStamp = {
  write(call: number, sequence: number, sentUs: number): string;
  read(payload: string): StampedFrame;
};

/** Makes a {@link FrameStamp}. */
export function createFrameStamp(bytes: number): FrameStamp {
  if (bytes <= STAMP_BYTES) throw new RangeError(`a stamped frame has more than ${STAMP_BYTES} bytes`);
  const filler = Buffer.from(Array.from({ length: bytes - STAMP_BYTES }, (_, n) => (n * 37) % 256)).toString('base64');
  return {
    write: (call, sequence, sentUs) =>
      MARKER + digits(call, 8) + digits(sequence, 8) + digits(Math.round(sentUs), 16) + filler,
    read: (payload) => {
      if (!payload.startsWith(MARKER)) return FOREIGN;
      const call = Number(payload.slice(CALL_AT, SEQUENCE_AT));
      const sequence = Number(payload.slice(SEQUENCE_AT, TIME_AT));
      const sentUs = Number(payload.slice(TIME_AT, STAMP_CHARS));
      const isWhole =
        Number.isInteger(call) &&
        Number.isInteger(sequence) &&
        Number.isInteger(sentUs) &&
        payload.slice(STAMP_CHARS) === filler;
      return isWhole ? { kind: 'whole', stamp: { call, sequence, sentUs } } : DAMAGED;
    },
  };
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
