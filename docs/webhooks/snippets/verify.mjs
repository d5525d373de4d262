import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 300;

/**
 * Verifies a webhook and returns its id, the key for deduplication. Throws when it is not to be trusted.
 * `headers`: names in lower case, as Node gives them. `rawBody`: the bytes of the request (Buffer), before any parser.
 * `secrets`: one `whsec_...`, or two while a secret is being rotated.
 */
export function verifyWebhook(headers, rawBody, secrets, now = Math.floor(Date.now() / 1000)) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (!id || !timestamp || !signatures) throw new Error('a webhook header is missing');
  if (!/^\d{1,12}$/.test(timestamp)) throw new Error('the timestamp is no number');
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new Error('the timestamp is too old or in the future');

  for (const secret of secrets) {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(rawBody).digest('base64');
    const expected = Buffer.from(`v1,${mac}`);
    for (const signature of signatures.split(' ')) {
      const given = Buffer.from(signature);
      if (given.length === expected.length && timingSafeEqual(given, expected)) return id;
    }
  }
  throw new Error('no signature matches');
}
