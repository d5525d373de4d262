export { rekeySettings, type Rekeyed } from './rekey.ts';
export {
  createSealedSettingsReader,
  createSecretSettingsReader,
  type SecretSettingsReader,
  type StoredSettings,
} from './reader.ts';
export { sealedSettingsSchema, type SealedSettings } from './sealed-settings.ts';
export type { SettingsKey } from './sealing.ts';
export { createSettingsWriter, type SettingsWriter } from './writer.ts';
