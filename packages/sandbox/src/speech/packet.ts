import { crc32 } from 'node:zlib';

/** A run of alternating bits, then a word that cannot be taken for them: where a packet begins. */
export const SYNC_WORD = 0x5555_f628 | 0;
export const SYNC_BITS = 32;
/** index (15 bits) and last (1 bit), then the length of the payload: 3 bytes. */
export const HEADER_BYTES = 3;
export const MAX_PAYLOAD_BYTES = 192;
/**
 * Silence between two packets of one text, 40 ms. A voice detector that joins gaps below half a second hears one utterance; a
 * recognizer that must cut a long one at a quiet slice of 20 ms finds a whole one here.
 */
export const GAP_BITS = 40;
/** Upper bound of a text: about nine minutes of speech. */
export const MAX_TEXT_BYTES = 65_536;

/** Short payloads are padded to this, so that the shortest word lasts 280 ms and no voice detector takes it for a click. */
const MIN_PAYLOAD_BYTES = 24;
const CRC_BYTES = 4;
/** How far back from a full packet a space is looked for, so that words stay whole. */
const SPLIT_WINDOW_BYTES = 48;
const SPACE = 0x20;

/** One packet as it was read. `index` counts from 0 within a text. */
export type Packet = {
  readonly index: number;
  readonly last: boolean;
  readonly payload: Uint8Array;
  readonly whole: boolean;
};

/** The packets that say a text, in order, each without its sync word. None for the empty text. */
export function packetsOf(text: string): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_TEXT_BYTES) throw new RangeError(`a text of ${bytes.length} bytes is too long to say`);
  const payloads: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = splitAt(bytes, from);
    payloads.push(bytes.subarray(from, to));
    from = to;
  }
  return payloads.map((payload, index) => framed(payload, index, index === payloads.length - 1));
}

/** Bytes of a packet after its sync word, from its header; undefined when no packet has such a header. */
export function packetLength(header: Uint8Array): number | undefined {
  const length = header[2] ?? 0;
  if (length === 0 || length > MAX_PAYLOAD_BYTES) return undefined;
  return HEADER_BYTES + paddedLength(length) + CRC_BYTES;
}

/** Reads a packet without its sync word. `whole` says that its checksum holds. */
export function readPacket(bytes: Uint8Array): Packet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint16(0);
  const checked = bytes.subarray(0, bytes.length - CRC_BYTES);
  return {
    index: number >> 1,
    last: (number & 1) === 1,
    payload: bytes.slice(HEADER_BYTES, HEADER_BYTES + view.getUint8(2)),
    whole: crc32(checked) === view.getUint32(bytes.length - CRC_BYTES),
  };
}

function framed(payload: Uint8Array, index: number, last: boolean): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + paddedLength(payload.length) + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, (index << 1) | (last ? 1 : 0));
  view.setUint8(2, payload.length);
  bytes.set(payload, HEADER_BYTES);
  view.setUint32(bytes.length - CRC_BYTES, crc32(bytes.subarray(0, bytes.length - CRC_BYTES)));
  return bytes;
}

function paddedLength(length: number): number {
  return Math.max(length, MIN_PAYLOAD_BYTES);
}

/** The end of the payload that starts at `from`: after a space if one is near, and never inside a character. */
function splitAt(bytes: Uint8Array, from: number): number {
  const limit = from + MAX_PAYLOAD_BYTES;
  if (limit >= bytes.length) return bytes.length;
  const space = bytes.subarray(limit - SPLIT_WINDOW_BYTES, limit).lastIndexOf(SPACE);
  if (space >= 0) return limit - SPLIT_WINDOW_BYTES + space + 1;
  let end = limit;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}
