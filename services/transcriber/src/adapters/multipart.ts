import { randomUUID } from 'node:crypto';

export type FilePart = {
  readonly name: string;
  readonly fileName: string;
  readonly type: string;
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
};

/**
 * A form with one file that is sent while it is read, so that no request holds it (RFC 7578). Its length is told beforehand: not every
 * server takes a body without one. Names are our own; values may hold anything.
 */
export function multipartForm(fields: readonly (readonly [name: string, value: string])[], file: FilePart) {
  const boundary = `form-${randomUUID()}`;
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const opening =
    `--${boundary}\r\nContent-Disposition: form-data; name="${file.name}"; filename="${file.fileName}"\r\n` +
    `Content-Type: ${file.type}\r\n\r\n`;
  const head = Buffer.from(parts.join('') + opening);
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + file.bytes + tail.length),
    },
    body: streamOf(head, file.read, tail),
  };
}

async function* streamOf(head: Uint8Array, read: FilePart['read'], tail: Uint8Array): AsyncGenerator<Uint8Array> {
  yield head;
  yield* read();
  yield tail;
}
