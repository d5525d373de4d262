import type { Readable } from 'node:stream';

export type BoundedBody = {
  /** The beginning of the body as text that is safe to show: control characters and broken UTF-8 are escaped. */
  readonly excerpt: string;
  readonly tooLarge: boolean;
};

/**
 * Reads a response body up to `maxBytes` and keeps the first `keepBytes`. Whatever goes on after that is not read: the stream is
 * destroyed. Rejects when the signal ends before the body does.
 */
export async function readBounded(
  body: Readable,
  bounds: { readonly maxBytes: number; readonly keepBytes: number },
  signal: AbortSignal,
): Promise<BoundedBody> {
  const kept: Buffer[] = [];
  let bytes = 0;
  body.on('error', () => undefined);
  for await (const chunk of body) {
    signal.throwIfAborted();
    const part = Buffer.from(chunk); // a body of undici yields Buffers, its type says unknown
    if (bytes < bounds.keepBytes) kept.push(part.subarray(0, bounds.keepBytes - bytes));
    bytes += part.length;
    if (bytes > bounds.maxBytes) break;
  }
  return { excerpt: visibleText(Buffer.concat(kept).toString('utf8')), tooLarge: bytes > bounds.maxBytes };
}

/** Text of strangers made safe for a terminal and a page of ours: control, format and unassigned characters are escaped. */
export function visibleText(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (character) =>
    character === '\n' || character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}
