export { connectBroker, connectOperator, type Broker, type BrokerOptions, type Operator } from './broker.ts';
export { BrokerError } from './broker-error.ts';
export type { Difference } from './compare.ts';
export {
  withDeadLetters,
  type DeadLetters,
  type LetterFacts,
  type LetterRange,
  type OpenLetter,
} from './dead-letters.ts';
export type { BrokerConfig, ConnectionIdentity } from './connection.ts';
export { purgeCalls, type Purged } from './erasure.ts';
export type { BucketOptions, Entry, KeyValue } from './key-value.ts';
export type { Log, LogFields } from './log.ts';
export { brokerPermissions, type BrokerPermissions } from './permissions.ts';
export { compareBroker, provisionBroker, withOperator, type ProvisionOptions, type Provisioned } from './provision.ts';
export type { Publish, PublishOptions } from './publisher.ts';
export { REREADABLE, rereadStream, type Rereadable } from './reread.ts';
export type { ConsumerState, DeadLetter, EventMark, Reader } from './reader.ts';
export type {
  CommandDefinition,
  Readiness,
  Stage,
  StageDefinition,
  StageEvent,
  StageMetrics,
} from './stage-definition.ts';
export type { StageTiming } from './stage-timing.ts';
export { createTopology, type ConsumerSpec, type StreamSpec, type Topology } from './topology.ts';
export { childTraceparent, newTraceparent, traceId } from './trace-context.ts';
export type { StreamFill } from './trim-plan.ts';
export { trimBroker, type TrimmedStream, type TrimOptions } from './trim.ts';
