import { secretOf, withSecret, type FullSettings, type WebhookSecretEntry } from '@pipeline/contracts';

/** Stands in place of a secret. In a file that is set it means "as it is stored". */
export const MASK = '[kept]';
const MASKED_SECRET = `whsec_${MASK}`;

/** Settings that may be shown: no webhook secret, no value of a header, no query of a URL. */
export function maskSecrets(settings: FullSettings): FullSettings {
  return {
    ...settings,
    webhook_secrets: settings.webhook_secrets.map((entry) => withSecret(entry, MASKED_SECRET)),
    webhook_headers: Object.fromEntries(Object.keys(settings.webhook_headers).map((name) => [name, MASK])),
    inbound_webhook_url: settings.inbound_webhook_url?.replace(/\?.*$/s, `?${MASK}`) ?? null,
  };
}

/** Whether a value that somebody wants to store holds a mask. */
export function hasMask(value: unknown): boolean {
  return JSON.stringify(value)?.includes(MASK) ?? false;
}

/**
 * Puts the stored secrets back in place of masks, sealed as they are: what `settings get` printed may be edited and set again. Secrets go by their
 * place, headers by their name, a URL only while it is the same up to its query. A mask with nothing behind it stays.
 */
export function restoreSecrets(value: unknown, stored: FullSettings | null): unknown {
  if (typeof value !== 'object' || value === null || stored === null) return value;
  const given: Record<string, unknown> = { ...value };
  const { webhook_secrets: secrets, webhook_headers: headers, inbound_webhook_url: url } = given;
  if (Array.isArray(secrets)) {
    given['webhook_secrets'] = secrets.map((entry: unknown, place) => {
      const behind = stored.webhook_secrets[place];
      return isMasked(entry) && behind !== undefined ? withSecret(entry, secretOf(behind)) : entry;
    });
  }
  if (typeof headers === 'object' && headers !== null) {
    const entries = Object.entries(headers).map(([name, text]) => [
      name,
      text === MASK ? (stored.webhook_headers[name] ?? text) : text,
    ]);
    given['webhook_headers'] = Object.fromEntries(entries);
  }
  if (url === maskSecrets(stored).inbound_webhook_url) given['inbound_webhook_url'] = stored.inbound_webhook_url;
  return given;
}

/** The form of a webhook secret, for settings that are only looked at: what stands behind a mask is stored and has been checked. */
const STAND_IN = `whsec_${'A'.repeat(43)}=`;

/** Settings as `settings get` printed them, with masked secrets in a form that the contract accepts. Never to be stored. */
export function standInForMasks(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('webhook_secrets' in value)) return value;
  const { webhook_secrets: secrets } = value;
  if (!Array.isArray(secrets)) return value;
  return {
    ...value,
    webhook_secrets: secrets.map((entry: unknown) => (isMasked(entry) ? withSecret(entry, STAND_IN) : entry)),
  };
}

/** An entry of `webhook_secrets` whose secret is hidden, in either of its forms. */
function isMasked(entry: unknown): entry is WebhookSecretEntry {
  if (typeof entry !== 'object' || entry === null) return entry === MASKED_SECRET;
  return 'secret' in entry && entry.secret === MASKED_SECRET;
}
