import type { CallLog, Identity } from '@pipeline/contracts';
import type { ServiceLine } from '../stack/service-process.ts';
import type { ImportGraph } from './import-graph.ts';

/** What the code says: import graphs from the entry of each program. */
export type CodeEvidence = {
  readonly gateway: ImportGraph;
  /** Every service and the operator's command line, by name. */
  readonly programs: Readonly<Record<string, ImportGraph>>;
};

/** One thing that an identity tried to do with its own credentials, and whether the server refused it. */
export type Refusal = { readonly identity: Identity; readonly what: string; readonly refused: boolean };

/** What one call on a running system showed. */
export type RunEvidence = {
  readonly callSid: string;
  /** With media-gateway alone: no later stage was running. */
  readonly alone: {
    readonly endedStored: boolean;
    /** HTTP status of the answer to Twilio's status callback, `null` when none came. */
    readonly statusAnswer: number | null;
    /** Milliseconds from hang-up until the gateway held no call, `null` when it still did at the end. */
    readonly idleAfterMs: number | null;
  };
  /** With every stage but webhook-dispatcher. */
  readonly withoutDispatcher: { readonly callLogStored: boolean; readonly requests: number };
  /** With all of them: the bodies that the endpoint received, verified. */
  readonly withDispatcher: { readonly bodies: readonly Readonly<Record<string, unknown>>[] };
  readonly callLog: CallLog | null;
  readonly gatewayLines: readonly ServiceLine[];
  readonly refusals: readonly Refusal[];
};
