export { connectStore, type Store, type StoreLog, type StoreReadiness } from '../connection/store.ts';
export { StoreError } from '../connection/errors.ts';
export type { StoreConfig } from '../connection/options.ts';
export type { StoredCall } from './mapping.ts';
export type { EndedMark, EndedRange, Tombstone } from './forgotten.ts';
export { provisionCallLog } from './provision.ts';
export { createCallLogReader, MAX_KINDS, type CallLogReader, type StoredKind } from './reader.ts';
export type { StoredCursor, StoredMark, StoredPage, StoredRange } from './stored-range.ts';
