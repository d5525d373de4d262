import { provisionCollections } from '../connection/collections.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { SETTINGS_PLAN } from './model.ts';

/** Makes the collection of the settings and its index; answers with one printable line for each. May be repeated. */
export async function provisionSettings(store: Store, signal: AbortSignal): Promise<string[]> {
  return provisionCollections(SETTINGS_PLAN, internalsOf(store).connection, {}, signal);
}
