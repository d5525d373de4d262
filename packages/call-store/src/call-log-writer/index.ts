export { connectStore, type Store, type StoreLog, type StoreReadiness } from '../connection/store.ts';
export type { StoreConfig } from '../connection/options.ts';
export { MAX_CALL_LOG_BYTES } from './fit.ts';
export { createCallLogWriter, type CallLogWriter, type StoreResult } from './writer.ts';
