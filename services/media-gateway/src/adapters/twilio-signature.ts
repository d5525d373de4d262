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
