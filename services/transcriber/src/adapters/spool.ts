import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '@pipeline/contracts';
import type { AudioSource } from '../recording/audio-source.ts';

/** Audio on disk. `close` gives its space back. */
export type SpooledAudio = { readonly source: AudioSource; close(): Promise<void> };

/**
 * Writes a download to a temporary file of at most `maxBytes`. The file loses its name at once and lives as long as its handle:
 * whatever ends the process, nothing of a caller's voice stays on disk, and there are no old files to clear away.
 * Throws PermanentError `AUDIO_TOO_LARGE` as soon as the bound is passed.
 */
export async function spool(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  directory: string = tmpdir(),
): Promise<SpooledAudio> {
  const path = join(directory, `recording-${randomUUID()}.wav`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await rm(path);
    const size = await write(file, chunks, maxBytes);
    return { source: { size, read: (position, length) => readAt(file, position, length) }, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function write(file: FileHandle, chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    if (size + chunk.length > maxBytes) throw new PermanentError('AUDIO_TOO_LARGE');
    let written = 0;
    while (written < chunk.length) {
      const { bytesWritten } = await file.write(chunk, written, chunk.length - written, size + written);
      written += bytesWritten;
    }
    size += chunk.length;
  }
  return size;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
