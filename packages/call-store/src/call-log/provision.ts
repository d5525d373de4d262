import { provisionCollections } from '../connection/collections.ts';
import { internalsOf, type Store } from '../connection/store.ts';
import { CALL_LOG_PLAN } from './model.ts';

/** Makes the collection of the CallLogs and its indexes; answers with one printable line for each. May be repeated. */
export async function provisionCallLog(store: Store, signal: AbortSignal): Promise<string[]> {
  return provisionCollections(CALL_LOG_PLAN, internalsOf(store).connection, {}, signal);
}
