import twilio from 'twilio';

/** The form fields of a request as Twilio signed them: every pair, repeated keys as a list. */
export type SignedFields = Readonly<Record<string, string | string[]>>;

/**
 * Whether Twilio signed this request: `url` is built from configuration, never from headers (a proxy's headers can be forged).
 * Any of the tokens may have signed, because both are in use while they rotate. Never throws.
 */
export function isSignedByTwilio(
  authTokens: readonly string[],
  request: { readonly signature: string | undefined; readonly url: string; readonly fields: SignedFields },
): boolean {
  const { signature, url, fields } = request;
  if (signature === undefined || signature === '') return false;
  return authTokens.some((token) => {
    try {
      return token !== '' && twilio.validateRequest(token, signature, url, fields);
    } catch {
      return false;
    }
  });
}

/**
 * Reads `application/x-www-form-urlencoded` into an object without a prototype, so that a key such as `__proto__` is a key
 * like any other.
 */
export function parseForm(body: string): SignedFields {
  // Without a prototype there is nothing that a key could reach; the type of such an object cannot be written otherwise.
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (const [key, value] of new URLSearchParams(body)) {
    const known = fields[key];
    if (known === undefined) fields[key] = value;
    else if (typeof known === 'string') fields[key] = [known, value];
    else known.push(value);
  }
  return fields;
}
