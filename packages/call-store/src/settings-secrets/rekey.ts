import { StoreError } from '../connection/errors.ts';
import { inTime } from '../connection/in-time.ts';
import { modelOf } from '../connection/model.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { SETTINGS_COLLECTION, settingsSchema } from '../settings/model.ts';
import { createSealedSettingsReader } from './reader.ts';
import { needsKey, openSettings } from './sealed-settings.ts';
import type { SettingsKey } from './sealing.ts';
import { createSettingsWriter } from './writer.ts';

/** What became of the secrets of one business. `failed` names why in words without a secret. */
export type Rekeyed =
  | { readonly businessId: string; readonly kind: 'sealed' | 'unchanged' }
  | { readonly businessId: string; readonly kind: 'failed'; readonly reason: string };

const ROUNDS = 3;

/**
 * Seals the secrets of every business again with the first key of the ring, one business after another: after a new key was put
 * first, and once for secrets that an older version stored plain. May be repeated and broken off at any point.
 */
export async function* rekeySettings(
  store: Store,
  keys: readonly SettingsKey[],
  signal: AbortSignal,
): AsyncGenerator<Rekeyed> {
  const model = modelOf(internalsOf(store).connection('settings'), settingsSchema, SETTINGS_COLLECTION);
  const query = () => model.find({}, { _id: 1 }).sort({ _id: 1 }).lean().exec();
  for (const { _id: businessId } of await inTime('list businesses', signal, query)) {
    yield await rekeyOne(store, keys, businessId, signal);
  }
}

async function rekeyOne(
  store: Store,
  keys: readonly SettingsKey[],
  businessId: string,
  signal: AbortSignal,
): Promise<Rekeyed> {
  const [first] = keys;
  const reader = createSealedSettingsReader(store);
  const writer = createSettingsWriter(store, keys);
  for (let round = 1; ; round += 1) {
    try {
      const stored = await reader.byId(businessId, signal);
      if (stored === null || first === undefined || !needsKey(stored.settings, first)) {
        return { businessId, kind: 'unchanged' };
      }
      await writer.save(openSettings(stored.settings, keys), signal, stored.updatedAt);
      return { businessId, kind: 'sealed' };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code !== 'CHANGED_MEANWHILE' || round === ROUNDS) {
        return { businessId, kind: 'failed', reason: error.message };
      }
    }
  }
}
