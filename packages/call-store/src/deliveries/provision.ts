import { provisionCollections, type ProvisionOptions } from '../connection/collections.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { DELIVERY_PLAN } from './model.ts';

/**
 * Makes the collections of deliveries, attempts and endpoints and their indexes; one printable line each. May be repeated. Indexes that
 * only older releases use are told, and removed when `retire` says so.
 */
export async function provisionDeliveries(
  store: Store,
  signal: AbortSignal,
  options: ProvisionOptions = {},
): Promise<string[]> {
  return provisionCollections(DELIVERY_PLAN, internalsOf(store).connection, options, signal);
}
