import { createCallLogReader } from '@pipeline/call-store/call-log';
import { createDeliveryStore } from '@pipeline/call-store/deliveries';
import type { Store } from '@pipeline/call-store/settings';
import { connectOperator, type BrokerConfig, type Operator } from '@pipeline/messaging';
import type { Context } from '../verb.ts';
import {
  CALL_EVENTS,
  consumerOf,
  type CallEvent,
  type DeadLetterFacts,
  type SeenEvent,
  type StoreFacts,
  type StreamFacts,
} from './facts.ts';

/** What the databases know of a call. Never throws: what cannot be asked is a fact too. */
export async function readStore(store: Store, callSid: string, signal: AbortSignal): Promise<StoreFacts> {
  try {
    const deliveries = createDeliveryStore(store);
    const call = await createCallLogReader(store).find(callSid, signal);
    const rows = await deliveries.listByCall(callSid, signal);
    const withAttempts = rows.map(async (row) => ({
      row,
      attempts: await deliveries.listAttempts(row.id, signal),
      endpoint: await deliveries.endpoints.find(row.endpointId, signal),
    }));
    return { kind: 'read', call, deliveries: await Promise.all(withAttempts) };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'unreadable', reason: reasonOf(error) };
  }
}

/** What the broker knows of a call, and its business where nobody knew it. Never throws. */
export async function readStreams(
  config: BrokerConfig,
  callSid: string,
  known: string | null,
  { logger, signal }: Context,
): Promise<{ readonly businessId: string | null; readonly streams: StreamFacts }> {
  let operator: Operator | null = null;
  try {
    operator = await connectOperator({ config, identity: 'callctl', instance: 'callctl', logger });
    const businessId = known ?? (await operator.businessOf(callSid));
    if (businessId === null) return { businessId, streams: { kind: 'read', events: NO_EVENTS, deadLetter: null } };
    const seen = await Promise.all(CALL_EVENTS.map((event) => seenEvent(operator, event, businessId, callSid)));
    const events = Object.fromEntries(CALL_EVENTS.map((event, place) => [event, seen[place] ?? null]));
    const deadLetter = deadFacts((await operator.lastDeadLetter(businessId, callSid))?.headers);
    // One entry for each of CALL_EVENTS was made above, which fromEntries does not tell.
    return { businessId, streams: { kind: 'read', events: events as Record<CallEvent, SeenEvent | null>, deadLetter } };
  } catch (error) {
    signal.throwIfAborted();
    return { businessId: known, streams: { kind: 'unreadable', reason: reasonOf(error) } };
  } finally {
    await operator?.close();
  }
}

const NO_EVENTS: Readonly<Record<CallEvent, null>> = {
  'call.ended': null,
  'call.transcribed': null,
  'call.summarized': null,
  'call.extracted': null,
};

async function seenEvent(
  operator: Operator | null,
  event: CallEvent,
  businessId: string,
  callSid: string,
): Promise<SeenEvent | null> {
  const mark = (await operator?.lastMark(event, businessId, callSid)) ?? null;
  if (mark === null || operator === null) return null;
  return { ...mark, isSettled: mark.seq <= (await operator.settledUpTo(consumerOf(event))) };
}

function deadFacts(headers: Readonly<Record<string, string>> | undefined): DeadLetterFacts | null {
  if (headers === undefined) return null;
  const text = (name: string): string => headers[`Dead-${name}`] ?? 'unknown';
  return { code: text('Code'), reason: text('Reason'), stage: text('Stage'), failedAt: text('Failed-At') };
}

/** Our own classes write for people; of others the class says enough. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown failure';
  return ['BrokerError', 'RetryLaterError', 'StoreError', 'CommandError'].includes(error.name)
    ? error.message
    : error.name;
}
