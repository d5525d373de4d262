const TEXT = 0x81; // the last fragment of a text, and the only one
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

/**
 * WebSocket messages of a server, one after another in one buffer, as RFC 6455, 5.2 lays them out: a text each, whole, not masked,
 * not compressed. A buffer is one write to the kernel where messages of their own are several.
 */
export function textFrames(...texts: readonly string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const frames = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + headerSize(size) + size, 0));
  let at = 0;
  texts.forEach((text, index) => {
    at = writeHeader(frames, at, sizes[index] ?? 0);
    at += frames.write(text, at);
  });
  return frames;
}

function headerSize(size: number): number {
  return size < TWO_BYTES ? 2 : size < 0x1_00_00 ? 4 : 10;
}

/** Returns the place behind the header. */
function writeHeader(frames: Buffer, at: number, size: number): number {
  const length = frames.writeUInt8(TEXT, at);
  if (size < TWO_BYTES) return frames.writeUInt8(size, length);
  if (size < 0x1_00_00) return frames.writeUInt16BE(size, frames.writeUInt8(TWO_BYTES, length));
  return frames.writeBigUInt64BE(BigInt(size), frames.writeUInt8(EIGHT_BYTES, length));
}
