import { attemptLines, rowStory } from '../webhooks/delivery-text.ts';
import { foreignText } from '../terminal-text.ts';
import { CALL_EVENTS, consumerOf, type CallFacts, type DeliveryFacts } from './facts.ts';

/** Every known step of a call, one line each, in the order of the pipeline. */
export function timelineOf(facts: CallFacts, isTerminal: boolean): string[] {
  return [...streamLines(facts, isTerminal), ...storeLines(facts, isTerminal)];
}

function streamLines({ streams }: CallFacts, isTerminal: boolean): string[] {
  if (streams.kind === 'unreadable') return [`streams: not asked, ${streams.reason}`];
  const events = CALL_EVENTS.map((event) => {
    const seen = streams.events[event];
    if (seen === null) return `${event.padEnd(17)} not in its stream`;
    const state = seen.isSettled ? `${consumerOf(event)} is through with it` : `${consumerOf(event)} has it to do`;
    return `${event.padEnd(17)} ${iso(seen.storedAt)}  revision ${seen.revision ?? '?'}, ${state}`;
  });
  if (streams.deadLetter === null) return events;
  const { stage, code, reason, failedAt } = streams.deadLetter;
  return [...events, foreignText(`dead letter       ${failedAt}  ${stage}: ${code}, ${reason}`, isTerminal)];
}

function storeLines({ store }: CallFacts, isTerminal: boolean): string[] {
  if (store.kind === 'unreadable') return [`databases: not asked, ${store.reason}`];
  return [...callLines(store.call), ...store.deliveries.flatMap((delivery) => deliveryLines(delivery, isTerminal))];
}

function callLines(call: Extract<CallFacts['store'], { kind: 'read' }>['call']): string[] {
  if (call.kind !== 'call')
    return call.kind === 'none' ? ['CallLog           none'] : [`CallLog           ${call.kind}`];
  const { stages, endedAt, stored_at: storedAt, status, revision } = call.callLog;
  const parts = Object.entries(stages).flatMap(([stage, part]) => {
    if (typeof part !== 'object' || part === null || !('state' in part)) return [];
    const { state, code, model, attempts, ms } = part as NonNullable<typeof stages.transcriber>; // the known stages have this shape
    const details = [code, model, `${ms} ms`, `attempt ${attempts}`].filter((detail) => detail !== null);
    return [`  ${stage.padEnd(15)} ${state}: ${details.join(', ')}`];
  });
  const first = `CallLog           ${storedAt}  ${status}, revision ${revision}; the call ended ${endedAt}`;
  return [first, ...parts];
}

function deliveryLines({ row, attempts, endpoint }: DeliveryFacts, isTerminal: boolean): string[] {
  const first = `webhook           ${row.createdAt.toISOString().slice(0, 19)}Z  ${row.webhookId} to ${row.endpointId}`;
  return [first, `  ${rowStory(row, endpoint)}`, ...attempts.flatMap((attempt) => attemptLines(attempt, isTerminal))];
}

function iso(ms: number): string {
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().slice(0, 19)}Z` : 'at some time';
}
