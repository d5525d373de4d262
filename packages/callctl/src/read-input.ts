import { createReadStream } from 'node:fs';
import { CommandError } from './verb.ts';

/** Far above any settings file or webhook; what is larger is the wrong file. */
const MAX_BYTES = 2 * 1_024 * 1_024;

/** The bytes of a file, or of standard input for `-`. Throws a CommandError that names the file when it cannot be read. */
export async function readBytes(path: string, standardInput: NodeJS.ReadableStream): Promise<Buffer> {
  const name = path === '-' ? 'standard input' : path;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of path === '-' ? standardInput : createReadStream(path)) {
      chunks.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes > MAX_BYTES) break;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CommandError(`cannot read ${name} (${code})`);
  }
  if (bytes > MAX_BYTES) throw new CommandError(`${name} is larger than 2 MiB: it is neither settings nor a webhook`);
  return Buffer.concat(chunks);
}
