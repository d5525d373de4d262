import {
  headerValueSchema,
  secretOf,
  settingsSchemaWith,
  webhookSecretSchema,
  withSecret,
  type FullSettings,
} from '@pipeline/contracts';
import { z } from 'zod';
import { parseDocument } from '../settings/mapping.ts';
import { isSealed, open, seal, sealedSchema, sealingKeyId, type SettingsKey } from './sealing.ts';

/** Settings as they are stored: secrets and values of headers are sealed, or plain where an older version wrote them. */
export const sealedSettingsSchema = settingsSchemaWith(
  z.union([webhookSecretSchema, sealedSchema]),
  z.union([sealedSchema, headerValueSchema]),
);
/** The same shape as {@link FullSettings}; nobody without a key can read its secrets. */
export type SealedSettings = z.infer<typeof sealedSettingsSchema>;

/** The settings out of their document, sealed as they are. */
export function sealedSettingsFrom(document: unknown): SealedSettings {
  return parseDocument(document, sealedSettingsSchema);
}

/** Seals whatever is plain with the first key of the ring; what is sealed stays as it is. */
export function sealSettings(settings: SealedSettings, key: SettingsKey): SealedSettings {
  return mapSecrets(settings, (value, place) => (isSealed(value) ? value : seal(value, key, place)));
}

/** Opens every secret. Throws StoreError `SECRET_UNREADABLE`. */
export function openSettings(settings: SealedSettings, keys: readonly SettingsKey[]): FullSettings {
  return mapSecrets(settings, (value, place) => open(value, keys, place));
}

/** True when something is plain, or sealed with another key. */
export function needsKey(settings: SealedSettings, key: SettingsKey): boolean {
  const values = [...settings.webhook_secrets.map(secretOf), ...Object.values(settings.webhook_headers)];
  return values.some((value) => sealingKeyId(value) !== key.id);
}

/** A secret has one purpose whether it expires or not, so that it can be retired without being opened. */
function mapSecrets(
  settings: SealedSettings,
  map: (value: string, place: { readonly businessId: string; readonly purpose: string }) => string,
): SealedSettings {
  const businessId = settings.id;
  const headers = Object.entries(settings.webhook_headers).map(([name, value]) => [
    name,
    map(value, { businessId, purpose: `header ${name.toLowerCase()}` }),
  ]);
  return {
    ...settings,
    webhook_secrets: settings.webhook_secrets.map((entry) =>
      withSecret(entry, map(secretOf(entry), { businessId, purpose: 'webhook secret' })),
    ),
    webhook_headers: Object.fromEntries(headers),
  };
}
