import type { FullSettings } from '@pipeline/contracts';
import type { Store } from '../connection/store.ts';
import { findSettings, openSettingsModel } from '../settings/find.ts';
import { openSettings, sealedSettingsFrom, type SealedSettings } from './sealed-settings.ts';
import type { SettingsKey } from './sealing.ts';

/** Reads settings with their secrets opened. Only webhook-dispatcher has it, because only it has the keys. */
export type SecretSettingsReader = {
  /**
   * The settings of a business, or null when there is none. Throws StoreError `SECRET_UNREADABLE` when a secret is sealed with a
   * key that is not in the ring, RetryLaterError while the database cannot answer.
   */
  byId(businessId: string, signal: AbortSignal): Promise<FullSettings | null>;
};

/** Settings as they are stored, and when they were stored, so that a save can tell whether somebody else was faster. */
export type StoredSettings = { readonly settings: SealedSettings; readonly updatedAt: Date };

/** A reader that opens secrets with any key of the ring. */
export function createSecretSettingsReader(store: Store, keys: readonly SettingsKey[]): SecretSettingsReader {
  const sealed = createSealedSettingsReader(store);
  return {
    byId: async (businessId, signal) => {
      const found = await sealed.byId(businessId, signal);
      return found === null ? null : openSettings(found.settings, keys);
    },
  };
}

/** A reader that leaves secrets sealed: for `callctl`, which hands them back as they are. */
export function createSealedSettingsReader(store: Store): {
  byId(businessId: string, signal: AbortSignal): Promise<StoredSettings | null>;
} {
  const model = openSettingsModel(store);
  return {
    byId: async (businessId, signal) => {
      const found = await findSettings(model, businessId, signal);
      return found === null ? null : { settings: sealedSettingsFrom(found), updatedAt: found.updatedAt };
    },
  };
}
