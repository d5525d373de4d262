export { connectStore, type Store, type StoreLog, type StoreReadiness } from '../connection/store.ts';
export type { StoreConfig } from '../connection/options.ts';
export { createAnnouncedCalls, MAX_ANNOUNCED, type AnnouncedCalls } from './announced.ts';
export type { AttemptOutcome, AttemptRecord, StoredAttempt } from './attempt.ts';
export type { ClaimOptions } from './claim.ts';
export { provisionDeliveries } from './provision.ts';
export type { DeliveryRow, DeliveryState, EventType, Lease, NewDelivery } from './row.ts';
export type { Settled } from './settle.ts';
export { createDeliveryStore, type DeliveryStore, type FrozenRevision } from './store.ts';
