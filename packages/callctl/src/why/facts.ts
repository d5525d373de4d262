import type { StoredCall } from '@pipeline/call-store/call-log';
import type { DeliveryRow, Endpoint, StoredAttempt } from '@pipeline/call-store/deliveries';
import { STAGES, type StageName } from '@pipeline/contracts';
import type { EventMark } from '@pipeline/messaging';

/** The events of a call in the order in which they come. */
export const CALL_EVENTS = ['call.ended', 'call.transcribed', 'call.summarized', 'call.extracted'] as const;
export type CallEvent = (typeof CALL_EVENTS)[number];

/** One event in its stream, and whether the stage that consumes it is through with everything up to it. */
export type SeenEvent = EventMark & { readonly isSettled: boolean };

/** Why a call was set aside. */
export type DeadLetterFacts = {
  readonly code: string;
  readonly reason: string;
  readonly stage: string;
  readonly failedAt: string;
};

/** One webhook of the call with everything that happened to it. */
export type DeliveryFacts = {
  readonly row: DeliveryRow;
  readonly attempts: readonly StoredAttempt[];
  readonly endpoint: Endpoint | null;
};

/** What the broker knows; `reason` when it could not be asked. */
export type StreamFacts =
  | { readonly kind: 'unreadable'; readonly reason: string }
  | {
      readonly kind: 'read';
      readonly events: Readonly<Record<CallEvent, SeenEvent | null>>;
      readonly deadLetter: DeadLetterFacts | null;
    };

/** What the databases know. */
export type StoreFacts =
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'read'; readonly call: StoredCall; readonly deliveries: readonly DeliveryFacts[] };

/** All that is known of a call at one moment. */
export type CallFacts = {
  readonly callSid: string;
  readonly businessId: string | null;
  readonly streams: StreamFacts;
  readonly store: StoreFacts;
};

/** The stage that works an event. */
export function consumerOf(event: CallEvent): StageName {
  const names = Object.keys(STAGES) as StageName[]; // Object.keys loses the literal type
  const found = names.find((name) => STAGES[name].consumes === event);
  if (found === undefined) throw new TypeError(`nobody consumes ${event}`);
  return found;
}
