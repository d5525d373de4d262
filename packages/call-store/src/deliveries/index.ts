export { connectStore, type Store, type StoreLog, type StoreReadiness } from '../connection/store.ts';
export type { StoreConfig } from '../connection/options.ts';
export { createAnnouncedCalls, MAX_ANNOUNCED, type AnnouncedCalls } from './announced.ts';
export type { AttemptOutcome, AttemptRecord, StoredAttempt } from './attempt.ts';
export type { Claimed, ClaimOptions, ClaimPlaces } from './claim.ts';
export type { EndpointBook } from './endpoint/book.ts';
export type { EndpointCensus } from './endpoint/census.ts';
export type {
  Endpoint,
  EndpointChange,
  EndpointLimits,
  EndpointNotice,
  EndpointReason,
  EndpointState,
  Lane,
  SlotLease,
} from './endpoint/endpoint.ts';
export { DRAIN_PER_SECOND } from './endpoint/bucket.ts';
export { DEFAULT_LIMITS } from './endpoint/endpoint.ts';
export { isHeld, sendableFrom } from './endpoint/hold.ts';
export { pause, resume } from './endpoint/operate.ts';
export { STOPPING, type EndpointVerdict } from './endpoint/outcome.ts';
export { noteWaiting } from './endpoint/slots.ts';
export { createForgettingDeliveries, MAX_FORGOTTEN, type Forgotten, type ForgettingDeliveries } from './forgetting.ts';
export type { Frozen } from './freeze.ts';
export {
  createOperatorDeliveries,
  type DeliverySearch,
  type OperatorDeliveries,
  type Replayed,
  type SearchPlace,
} from './operator.ts';
export { provisionDeliveries } from './provision.ts';
export type { Beginning, DeliveryRow, DeliveryState, EventType, Hold, Lease, NewDelivery, Trigger } from './row.ts';
export type { Settled, SettledRow } from './settle.ts';
export { createDeliveryStore, type DeliveryStore, type FrozenRevision } from './store.ts';
