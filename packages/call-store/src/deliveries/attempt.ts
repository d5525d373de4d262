import type { EndpointLimits } from './endpoint/endpoint.ts';
import type { EndpointVerdict } from './endpoint/outcome.ts';
import type { Trigger } from './row.ts';

/**
 * What one try to send is remembered by (webhooks' attempt log). Whoever fills it in keeps secrets and query strings out:
 * only the host of the URL, headers already redacted, the answer cut to 16 KiB.
 */
export type AttemptRecord = {
  readonly trigger: Trigger;
  readonly worker: string;
  /** Host and port of the URL; null when there was none to send to. */
  readonly host: string | null;
  /** The address that was connected to. */
  readonly address: string | null;
  /** Milliseconds of each phase; null where the attempt did not get that far. */
  readonly phases: {
    readonly dns: number | null;
    readonly connect: number | null;
    readonly tls: number | null;
    readonly firstByte: number | null;
    readonly total: number;
  };
  readonly httpStatus: number | null;
  /** How it ended, from a closed list of the dispatcher's. */
  readonly code: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseExcerpt: string | null;
  readonly traceId: string | null;
  /** Until when the receiver's certificate is valid; absent without TLS. */
  readonly certificateEndsAt?: Date;
};

/** An attempt as it is read back. `number` counts the charged attempts of the row from 1. */
export type StoredAttempt = AttemptRecord & {
  readonly deliveryId: string;
  readonly number: number;
  /** When it was over, by the clock of the database. */
  readonly at: Date;
  /** False when the fault was ours. */
  readonly charged: boolean;
  readonly state: string;
  readonly nextAttemptAt: Date | null;
};

/** What becomes of a row after one try. */
export type AttemptOutcome = {
  /** The next state: again in `retryInMs` milliseconds from the database's now, or a final one. */
  readonly next:
    | { readonly state: 'pending'; readonly retryInMs: number }
    | { readonly state: 'delivered' | 'exhausted' | 'disabled' | 'cancelled' | 'no_endpoint' };
  /** False when the fault was ours: the attempt does not count against the schedule. Default true. */
  readonly charged?: boolean;
  /** True when the fault was ours, charged or not: such failures in a row are counted. Default false. */
  readonly isOurs?: boolean;
  /** What its business allows now. Default as it was. */
  readonly limits?: EndpointLimits;
  /** What it says about the endpoint. Default nothing. */
  readonly verdict?: EndpointVerdict;
  /** Null when nothing was sent and nothing is worth remembering. */
  readonly attempt: AttemptRecord | null;
};
