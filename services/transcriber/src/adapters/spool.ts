import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import type { FileAudio } from '../listening.ts';

/** Audio on disk. `close` gives its space back. */
export type SpooledAudio = { readonly source: FileAudio; close(): Promise<void> };

/**
 * Writes a download to a temporary file of at most `maxBytes`. The file loses its name at once and lives as long as its handle:
 * whatever ends the process, nothing of a caller's voice stays on disk, and there are no old files to clear away.
 * Throws PermanentError `AUDIO_TOO_LARGE` as soon as the bound is passed, and RetryLaterError `SPOOL_UNAVAILABLE` when the disk does not
 * take it: that is full today, or another process's disk is not.
 */
export async function spool(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  directory: string = tmpdir(),
): Promise<SpooledAudio> {
  const path = join(directory, `recording-${randomUUID()}.wav`);
  const file = await onDisk(open(path, 'wx+', 0o600));
  try {
    await onDisk(rm(path));
    const size = await write(file, chunks, maxBytes);
    const read = (position: number, length: number) => readAt(file, position, length);
    return { source: { fd: file.fd, size, read }, close: () => file.close() };
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
      const { bytesWritten } = await onDisk(file.write(chunk, written, chunk.length - written, size + written));
      written += bytesWritten;
    }
    size += chunk.length;
  }
  return size;
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new RetryLaterError('the disk does not take the recording', { code: 'SPOOL_UNAVAILABLE', cause });
  }
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
