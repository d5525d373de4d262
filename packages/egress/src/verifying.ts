import { createHmac, timingSafeEqual } from 'node:crypto';
import { SIGNATURE_HEADERS } from './signing.ts';

/** A webhook as it arrived: names of headers in lower case, the body's bytes as they were sent. */
export type ArrivedWebhook = {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
};

/** What a receiver should think of a webhook. The codes are stable: the docs for consumers explain each. */
export type VerifyVerdict =
  | { readonly ok: true; readonly id: string; readonly sentAt: Date; readonly secretNumber: number }
  | { readonly ok: false; readonly code: VerifyProblem; readonly ageSeconds: number | null };

export type VerifyProblem =
  | 'header_missing'
  | 'timestamp_invalid'
  | 'timestamp_too_old'
  | 'timestamp_in_future'
  | 'no_v1_signature'
  | 'signature_mismatch';

/** Receivers accept this many seconds of difference, in both directions (Standard Webhooks). */
export const TOLERANCE_SECONDS = 300;

/**
 * Verifies as a receiver does (Standard Webhooks v1): the three headers, the time, then any signature by any of the secrets. Secrets
 * are `whsec_` and base64. Comparisons take the same time wherever they differ.
 */
export function verifyWebhook(
  arrived: ArrivedWebhook,
  secrets: readonly string[],
  options: { readonly nowMs: number; readonly anyAge?: boolean },
): VerifyVerdict {
  const [id, timestamp, signature] = SIGNATURE_HEADERS.map((name) => arrived.headers[name] ?? '');
  if (!id || !timestamp || !signature) return { ok: false, code: 'header_missing', ageSeconds: null };
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, code: 'timestamp_invalid', ageSeconds: null };
  const ageSeconds = Math.floor(options.nowMs / 1_000) - Number(timestamp);
  const refuse = (code: VerifyProblem): VerifyVerdict => ({ ok: false, code, ageSeconds });
  if (options.anyAge !== true && ageSeconds > TOLERANCE_SECONDS) return refuse('timestamp_too_old');
  if (options.anyAge !== true && ageSeconds < -TOLERANCE_SECONDS) return refuse('timestamp_in_future');
  const given = signature.split(' ').filter((one) => one.startsWith('v1,'));
  if (given.length === 0) return refuse('no_v1_signature');
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`, 'utf8'), arrived.body]);
  const place = secrets.findIndex((secret) => given.some((one) => isEqual(one, signatureOf(secret, signed))));
  if (place < 0) return refuse('signature_mismatch');
  return { ok: true, id, sentAt: new Date(Number(timestamp) * 1_000), secretNumber: place + 1 };
}

/** What is probably wrong where a signature does not match, tried out one by one; null when nothing that is tried makes it match. */
export function explainMismatch(arrived: ArrivedWebhook, secrets: readonly string[]): string | null {
  const fits = (body: Uint8Array, keys = secrets): boolean =>
    verifyWebhook({ ...arrived, body }, keys, { nowMs: 0, anyAge: true }).ok;
  const text = Buffer.from(arrived.body).toString('utf8');
  if (fits(Buffer.from(text.replace(/\r?\n$/, '')))) {
    return 'a line end was added to the body after it was signed: pass on its bytes as they came';
  }
  if (fits(Buffer.from(text.replaceAll('\r\n', '\n')))) return 'line ends of the body were turned into CR LF';
  const compact = reserialised(text);
  if (compact !== null && fits(Buffer.from(compact))) {
    return 'the body was parsed and written anew: verify the raw bytes, before any JSON parser';
  }
  const asText = secrets.map((secret) => `whsec_${Buffer.from(secret, 'utf8').toString('base64')}`);
  if (fits(arrived.body, asText)) return 'it was signed with the text of the secret: decode the base64 after whsec_';
  return null;
}

function signatureOf(secret: string, signed: Uint8Array): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function reserialised(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return null;
  }
}
