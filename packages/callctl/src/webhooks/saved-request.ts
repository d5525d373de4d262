import type { ArrivedWebhook } from '@pipeline/egress';
import { CommandError } from '../verb.ts';

/** More lines than any webhook has headers. */
const MAX_HEADER_LINES = 200;

/**
 * A request as it was saved: lines `name: value`, an empty line, then the bytes of the body. A request line (`POST / HTTP/1.1`) and
 * the marks of `curl -v` are skipped. With `body` the file holds the headers alone, as lines or as one JSON object.
 */
export function readSavedRequest(file: Buffer, body: Buffer | null): ArrivedWebhook {
  if (body !== null) return { headers: readHeaders(file.toString('utf8')), body };
  const end = /\r?\n\r?\n/.exec(file.toString('latin1')); // one character a byte, so that its place is the place in the bytes
  if (end === null) {
    throw new CommandError('the file has no empty line between headers and body; or give the body with --body <file>');
  }
  const headers = readHeaders(file.subarray(0, end.index).toString('utf8'));
  return { headers, body: file.subarray(end.index + end[0].length) };
}

/** The form that {@link readSavedRequest} reads. */
export function writeSavedRequest({ headers, body }: ArrivedWebhook): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value ?? ''}\n`);
  return Buffer.concat([Buffer.from(`${lines.join('')}\n`, 'utf8'), body]);
}

function readHeaders(text: string): Record<string, string> {
  const given = text.trimStart().startsWith('{') ? jsonHeaders(text) : lineHeaders(text);
  if (given.length === 0) throw new CommandError('no headers found: each stands on a line of its own as `name: value`');
  return Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]));
}

function lineHeaders(text: string): [string, string][] {
  return text
    .split(/\r?\n/, MAX_HEADER_LINES)
    .map((line) => /^[<>]?\s*([A-Za-z0-9-]+):\s*(.*?)\s*$/.exec(line))
    .flatMap((match): [string, string][] => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']]));
}

function jsonHeaders(text: string): [string, string][] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Object.entries(Object(parsed)).map(([name, value]) => [
      name,
      String(Array.isArray(value) ? value[0] : value),
    ]);
  } catch {
    throw new CommandError('the headers begin like JSON and are none');
  }
}
