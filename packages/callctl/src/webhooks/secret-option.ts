import { webhookSecretSchema } from '@pipeline/contracts';
import { UsageError, type Context, type VerbOption } from '../verb.ts';

/** `--secret`, for verbs that verify. */
export const SECRET_OPTION: VerbOption = {
  value: '<whsec_...>',
  summary:
    'the secret, or two separated by a comma; better in the variable WEBHOOK_SECRET, which no list of processes shows',
};

/** The secrets that a person holds, from `--secret` or `WEBHOOK_SECRET`. Throws a UsageError that shows none of them. */
export function heldSecrets({ options, environment }: Context): string[] {
  const typed = options['secret'] ?? environment['WEBHOOK_SECRET'] ?? '';
  const secrets = String(typed)
    .split(/[\s,]+/)
    .filter((text) => text !== '');
  if (secrets.length === 0) throw new UsageError('no secret to verify with: set WEBHOOK_SECRET or give --secret');
  if (!secrets.every((secret) => webhookSecretSchema.safeParse(secret).success)) {
    throw new UsageError(
      'a secret is whsec_ and the base64 of 24 to 64 bytes, as `settings set` and `rotate-secret` use it',
    );
  }
  return secrets;
}
