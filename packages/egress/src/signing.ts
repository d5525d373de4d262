import { createHmac } from 'node:crypto';

/** Names of the three headers of Standard Webhooks. */
export const SIGNATURE_HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
export type SignatureHeaders = Readonly<Record<(typeof SIGNATURE_HEADERS)[number], string>>;

const MIN_SECRET_BYTES = 24;

/**
 * Signs one attempt as Standard Webhooks v1 asks: HMAC-SHA256 over `<id>.<unix seconds>.<body>`, one signature for each secret
 * that is valid now, so that a receiver may hold the old or the new one. `body` must be the very bytes that are sent.
 */
export function signAttempt(attempt: {
  readonly id: string;
  readonly body: Uint8Array;
  readonly secrets: readonly string[];
  readonly nowMs: number;
}): SignatureHeaders {
  if (attempt.id.includes('.')) throw new TypeError('a webhook id holds no dot: it separates the signed parts');
  if (attempt.secrets.length === 0) throw new TypeError('no secret to sign with');
  const timestamp = String(Math.floor(attempt.nowMs / 1_000));
  const signatures = attempt.secrets.map((secret) => {
    const hmac = createHmac('sha256', keyOf(secret)).update(`${attempt.id}.${timestamp}.`).update(attempt.body);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': attempt.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

function keyOf(secret: string): Buffer {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.alloc(0);
  if (key.length < MIN_SECRET_BYTES)
    throw new TypeError('a webhook secret is whsec_ and the base64 of at least 24 bytes');
  return key;
}
