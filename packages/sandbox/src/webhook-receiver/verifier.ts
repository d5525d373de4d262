import { Webhook } from 'standardwebhooks';

type Verdict = { readonly verified: boolean; readonly reason: string | null };

/** Verifies by the public library that consumers use: true when any of the secrets made the signature. */
export function createVerifier(
  secrets: readonly string[],
): (rawBody: Buffer, headers: Readonly<Record<string, string>>) => Verdict {
  const verifiers = secrets.map((secret) => new Webhook(secret));
  return (rawBody, headers) => {
    let reason = 'the receiver has no secret';
    for (const verifier of verifiers) {
      try {
        verifier.verify(rawBody, { ...headers }, { jsonParse: false });
        return { verified: true, reason: null };
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    return { verified: false, reason };
  };
}
