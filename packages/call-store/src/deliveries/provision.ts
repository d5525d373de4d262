import { provisionCollections } from '../connection/collections.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { DELIVERY_PLAN } from './model.ts';

/** Makes the collections of deliveries, attempts and endpoints and their indexes; one printable line each. May be repeated. */
export async function provisionDeliveries(store: Store, signal: AbortSignal): Promise<string[]> {
  return provisionCollections(DELIVERY_PLAN, internalsOf(store).connection, signal);
}
