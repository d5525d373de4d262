import { randomBytes } from 'node:crypto';
import {
  createSealedSettingsReader,
  createSettingsWriter,
  type SealedSettings,
} from '@pipeline/call-store/settings-secrets';
import { secretOf, type WebhookSecretEntry } from '@pipeline/contracts';
import { CommandError, UsageError, type Verb } from '../verb.ts';
import { businessIdOf } from '../webhooks/change-endpoint.ts';
import { withSealing } from '../with-store.ts';

const SECRET_BYTES = 32;
const HOUR_MS = 3_600_000;
const MAX_HOURS = 720;
/** As many as the settings hold: the new one and two old ones. */
const MAX_SECRETS = 3;

/** Gives a business a new secret; the old ones sign beside it for the time of an overlap. */
export const webhooksRotateSecret: Verb = {
  name: 'webhooks rotate-secret',
  summary: 'give a business a new webhook secret and print it once; the old one signs too for the time of an overlap',
  arguments: ['<businessId>'],
  options: {
    overlap: {
      value: '<hours>',
      summary: 'how long the old secret stays valid; 0 drops it at once, for one that leaked',
      default: '24',
    },
  },
  run: async (context) => {
    const businessId = businessIdOf(context);
    const hours = Number(context.options['overlap']);
    if (!/^\d{1,3}$/.test(String(context.options['overlap'])) || hours > MAX_HOURS) {
      throw new UsageError(`--overlap takes whole hours from 0 to ${MAX_HOURS}`);
    }
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    const now = Date.now();
    const expiresAt = new Date(now + hours * HOUR_MS).toISOString();
    await withSealing(context, async (store, keys) => {
      const stored = await createSealedSettingsReader(store).byId(businessId, context.signal);
      if (stored === null) throw new CommandError(`there are no settings for business ${businessId}`);
      const created = { secret, createdAt: new Date(now).toISOString() };
      const webhook_secrets = rotated(stored.settings, created, hours === 0 ? null : expiresAt, now);
      await createSettingsWriter(store, keys).save(
        { ...stored.settings, webhook_secrets },
        context.signal,
        stored.updatedAt,
      );
    });
    const overlap = hours === 0 ? 'The old ones sign no more.' : `The old one signs beside it until ${expiresAt}.`;
    const json = { businessId, secret, oldSecretsUntil: hours === 0 ? null : expiresAt };
    return { json, text: `${secret}\n\nIt is shown this once. ${overlap} Give it to the receiver now.` };
  },
};

/** Secrets are handed on sealed: nothing is opened to retire one. Oldest first, the new one last. */
function rotated(
  settings: SealedSettings,
  created: { readonly secret: string; readonly createdAt: string },
  expiresAt: string | null,
  now: number,
): WebhookSecretEntry[] {
  if (expiresAt === null) return [created];
  const old = settings.webhook_secrets.filter((entry) => !isOver(entry, now)).map((entry) => retired(entry, expiresAt));
  if (old.length >= MAX_SECRETS) {
    throw new CommandError(
      `business ${settings.id} has ${old.length} secrets that still sign. Wait until one expires, take one out with settings set, or drop all with --overlap 0`,
    );
  }
  return [...old, created];
}

/** One that expires earlier already stays as it is. */
function retired(entry: WebhookSecretEntry, expiresAt: string): WebhookSecretEntry {
  if (typeof entry === 'string') return { secret: entry, expiresAt };
  const isEarlier = entry.expiresAt !== undefined && Date.parse(entry.expiresAt) < Date.parse(expiresAt);
  return isEarlier ? entry : { ...entry, secret: secretOf(entry), expiresAt };
}

function isOver(entry: WebhookSecretEntry, now: number): boolean {
  return typeof entry !== 'string' && entry.expiresAt !== undefined && Date.parse(entry.expiresAt) <= now;
}
