import {
  PermanentError,
  RetryLaterError,
  type BusinessSettings,
  type CallExtracted,
  type CallLog,
  type Failure,
  type OutboundEvent,
  type Received,
} from '@pipeline/contracts';
import { webhookId } from '@pipeline/contracts/webhook';
import { buildErased, buildPayload, type BodyType } from './payload.ts';

/** What is stored for a call. */
export type StoredCall =
  | { readonly kind: 'none' }
  | { readonly kind: 'call'; readonly callLog: CallLog }
  | {
      readonly kind: 'erased';
      readonly businessId: string;
      readonly revision: number;
      readonly erasedAt?: string;
    }
  | { readonly kind: 'expired' };

/** A webhook with its bytes, before it is kept. */
export type FrozenWebhook = {
  readonly webhookId: string;
  readonly endpointId: string;
  readonly businessId: string;
  readonly callSid: string;
  readonly eventType: BodyType | 'call.erased';
  readonly revision: number;
  readonly body: Uint8Array;
  /** The trace of the call, of which every attempt is a part. */
  readonly traceparent: string | undefined;
};

/** What a business says about its endpoint; null where it says nothing. */
export type EndpointWishes = { readonly ratePerSecond: number | null; readonly maxInFlight: number | null };

export interface HandlerDeps {
  /** The trace that the notice is part of. */
  readonly traceparent: string | undefined;
  findCall(callSid: string, signal: AbortSignal): Promise<StoredCall>;
  findSettings(businessId: string, signal: AbortSignal): Promise<BusinessSettings | null>;
  /** The revisions of this call that were frozen for an endpoint so far. */
  frozenRevisions(callSid: string, endpointId: string, signal: AbortSignal): Promise<readonly number[]>;
  /**
   * Keeps the webhook for ever and has it sent at once; without an endpoint (`null`) it only waits. `exists` when it was there. When
   * this resolves the webhook is safe, so that the notice may be acknowledged.
   */
  freeze(webhook: FrozenWebhook, endpoint: EndpointWishes | null, signal: AbortSignal): Promise<'inserted' | 'exists'>;
}

type Notice = Received<CallExtracted>;

/** Two notices of a call at the same time each lose one race at most. */
const MAX_ROUNDS = 3;

/**
 * A notice becomes at most one frozen webhook, built from the CallLog as it is now. The first notice of a call, whatever its
 * revision, freezes `call.completed`; a later one `call.updated`, when there is something new and the business wants it.
 */
export async function handle(notice: Notice, deps: HandlerDeps, signal: AbortSignal): Promise<OutboundEvent[]> {
  // A webhook waits for this: what the notice alone says to read is read at once. What comes of it counts only once the CallLog agrees.
  const settingsRead = readSettings(notice.businessId, deps, signal);
  const firstFrozen = deps.frozenRevisions(notice.callSid, notice.businessId, signal);
  settingsRead.catch(() => undefined);
  firstFrozen.catch(() => undefined);
  const stored = await deps.findCall(notice.callSid, signal);
  if (stored.kind === 'expired') return [];
  const businessId =
    stored.kind === 'call' ? stored.callLog.businessId : stored.kind === 'erased' ? stored.businessId : null;
  if (businessId !== null && businessId !== notice.businessId) {
    throw new PermanentError('BUSINESS_UNKNOWN', { message: 'the notice names another business than the CallLog' });
  }
  if (stored.kind === 'erased') return tellErased(notice.callSid, stored, await settingsRead, deps, signal);
  // A CallLog is written before its notice: without one it is a restored database or a forged notice. It may appear, for a day.
  if (stored.kind === 'none' || stored.callLog.revision < notice.revision) {
    throw new RetryLaterError('the CallLog of the notice is not there', { code: 'OBJECT_MISSING' });
  }
  const { callLog } = stored;
  const settings = await settingsRead;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const frozen = await (round === 1
      ? firstFrozen
      : deps.frozenRevisions(callLog.callSid, callLog.businessId, signal));
    const eventType = dueEvent(frozen, callLog, notice, settings);
    if (eventType === null) return [];
    const frozenNow = await deps.freeze(webhookOf(callLog, eventType, deps), wishesOf(settings), signal);
    if (frozenNow === 'inserted') return [];
  }
  throw new RetryLaterError('other notices of the call are being worked', { deadline: 'none' });
}

/** A tombstone becomes `call.erased` where the business asked for it. It is built from the tombstone, and told once. */
async function tellErased(
  callSid: string,
  tombstone: Extract<StoredCall, { kind: 'erased' }>,
  settings: BusinessSettings | Error | null,
  deps: Pick<HandlerDeps, 'freeze' | 'traceparent'>,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const { businessId, revision } = tombstone;
  if (settings instanceof Error) throw settings;
  const url = wishesOf(settings);
  if (url === null || settings?.webhook_events.includes('call.erased') !== true) return [];
  const eventType = 'call.erased' as const;
  const ids = { webhookId: webhookId({ type: eventType, callSid }), endpointId: businessId, businessId, callSid };
  const { traceparent } = deps;
  const webhook = { ...ids, eventType, revision, body: buildErased(callSid, tombstone), traceparent };
  await deps.freeze(webhook, url, signal);
  return [];
}

/**
 * This stage has no part that could be null: the webhook is the call's end (L6). So a notice is let go only where there is nothing to
 * send: its CallLog never appeared, or belongs to somebody else. A notice that kills its worker has its copy in `CALL_DEAD`
 * by now. For everything else, a bug of ours, it stays in the stream and is tried again until somebody mends it.
 */
export async function handOn(notice: Notice, failure: Failure): Promise<OutboundEvent[]> {
  switch (failure.code) {
    case 'OBJECT_MISSING':
    case 'BUSINESS_UNKNOWN':
    case 'WORKER_CRASHED':
      return [];
    default:
      throw new RetryLaterError(`a webhook of revision ${notice.revision} must not be lost: ${failure.code}`, {
        deadline: 'none',
      });
  }
}

/**
 * The result of a notice when it has been worked before: nothing to publish. `null` when it has not. The notice of a tombstone has a
 * revision above the call's last one, so it is none of these.
 */
export async function ownResult(
  notice: Notice,
  deps: Pick<HandlerDeps, 'frozenRevisions'>,
  signal: AbortSignal,
): Promise<OutboundEvent[] | null> {
  const frozen = await deps.frozenRevisions(notice.callSid, notice.businessId, signal);
  return frozen.some((revision) => revision >= notice.revision) ? [] : null;
}

/**
 * Settings that are stored but make no sense are an error here and no reason to wait: the body does not need them, and notices that
 * wait for somebody to mend one business would fill the stage for all. Each attempt reads them again.
 */
async function readSettings(
  businessId: string,
  deps: Pick<HandlerDeps, 'findSettings'>,
  signal: AbortSignal,
): Promise<BusinessSettings | Error | null> {
  try {
    return await deps.findSettings(businessId, signal);
  } catch (error) {
    if (signal.aborted || error instanceof RetryLaterError || !(error instanceof Error)) throw error;
    return error;
  }
}

/** Settings that make no sense may have a URL once they are mended: their webhooks are to be sent. */
function wishesOf(settings: BusinessSettings | Error | null): EndpointWishes | null {
  if (settings instanceof Error) return { ratePerSecond: null, maxInFlight: null };
  if (settings === null || settings.inbound_webhook_url === null) return null;
  return { ratePerSecond: settings.webhook_rate_per_second, maxInFlight: settings.webhook_max_in_flight };
}

function dueEvent(
  frozen: readonly number[],
  callLog: CallLog,
  notice: Notice,
  settings: BusinessSettings | Error | null,
): BodyType | null {
  if (frozen.length === 0) return 'call.completed';
  const isNew = frozen.every((revision) => revision < callLog.revision);
  if (!isNew || !notice.data.notify) return null;
  if (settings instanceof Error) throw settings;
  return settings?.webhook_events.includes('call.updated') === true ? 'call.updated' : null;
}

function webhookOf(
  callLog: CallLog,
  eventType: BodyType,
  { traceparent }: Pick<HandlerDeps, 'traceparent'>,
): FrozenWebhook {
  const { callSid, businessId, revision } = callLog;
  return {
    webhookId: webhookId({ type: eventType, callSid, revision }),
    endpointId: businessId,
    businessId,
    callSid,
    eventType,
    revision,
    body: buildPayload(callLog, eventType),
    traceparent,
  };
}
