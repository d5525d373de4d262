import type { SignedFields } from './twilio-signature.ts';

/** A body that is no form of Twilio's. `statusCode` is how the request is answered. */
export class FormError extends Error {
  override readonly name = 'FormError';
  readonly statusCode: 400 | 413;

  constructor(statusCode: 400 | 413, message: string, options?: ErrorOptions) {
    super(message, options);
    this.statusCode = statusCode;
  }
}

/** Twilio sends about 40 pairs, some more with SIP headers. */
const MAX_PAIRS = 512;

/**
 * Reads `application/x-www-form-urlencoded` into an object without a prototype, so that a key such as `__proto__` is a key like
 * any other; a key that comes again is a list. Throws a FormError for too many pairs, broken escapes, what is no UTF-8, and
 * control characters: a lenient reader would check the signature of other words than those that came.
 */
export function parseForm(body: Uint8Array): SignedFields {
  const pairs = textOf(body)
    .split('&')
    .filter((pair) => pair !== '');
  if (pairs.length > MAX_PAIRS) throw new FormError(413, 'too many pairs');
  // Without a prototype there is nothing that a key could reach; the type of such an object cannot be written otherwise.
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = decoded(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decoded(pair.slice(at + 1));
    const known = fields[key];
    if (known === undefined) fields[key] = value;
    else if (typeof known === 'string') fields[key] = [known, value];
    else known.push(value);
  }
  return fields;
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new FormError(400, 'no UTF-8', { cause });
  }
}

/** No field of Twilio's has control characters, and what stands behind one may read as another line. */
function decoded(text: string): string {
  const plain = unescaped(text);
  if (/\p{Cc}/u.test(plain)) throw new FormError(400, 'a control character');
  return plain;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new FormError(400, 'a broken escape', { cause });
  }
}
