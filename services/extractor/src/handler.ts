import type { Answer, Question } from '@pipeline/ai-client';
import {
  eventId,
  fieldsToExtract,
  PermanentError,
  stageDone,
  stageNotDone,
  type BusinessSettings,
  type CallExtracted,
  type CallLog,
  type CallSummarized,
  type Failure,
  type FieldDefinition,
  type NewCallLog,
  type OutboundEvent,
  type PaidSteps,
  type PriceTable,
  type Received,
} from '@pipeline/contracts';
import { callLogOf, type ExtractionPart } from './call-log.ts';
import { extractFields } from './extract-fields.ts';

/** How storing a CallLog ended: ours was written, an earlier result of this revision stands, or the call may not be known. */
export type StoreResult = { readonly kind: 'stored' | 'kept'; readonly callLog: CallLog } | { readonly kind: 'erased' };

/** What is stored of a call. */
export type StoredCall =
  | { readonly kind: 'none' | 'expired' }
  | { readonly kind: 'erased'; readonly revision: number }
  | { readonly kind: 'call'; readonly callLog: Pick<CallLog, 'revision' | 'failed_revision'> };

export type ExtractorDeps = {
  /** The settings of a business as they are now; `null` when there are none. */
  settings(businessId: string, signal: AbortSignal): Promise<BusinessSettings | null>;
  /** Asks the text model. */
  ask<T>(question: Question<T>, paid: PaidSteps, signal: AbortSignal): Promise<Answer<T>>;
  /** What was paid for this message at an earlier delivery: nothing is paid twice while the database refuses writes. */
  readonly paid: PaidSteps;
  /** Writes the CallLog, unless an equal or higher revision stands. */
  store(log: NewCallLog, signal: AbortSignal): Promise<StoreResult>;
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
  /** Told of what was extracted and stored. */
  report(log: NewCallLog, fields: readonly FieldDefinition[]): void;
  /** A new mark around the texts that they do not contain. */
  boundaryFor(text: string): string;
  /** Milliseconds since 1970. */
  now(): number;
  readonly model: string;
  readonly prices: PriceTable;
};

/** Extracts the fields of a summarised call and stores its CallLog. */
export async function handle(
  event: Received<CallSummarized>,
  deps: ExtractorDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const { transcript, summary, call } = event.data;
  if (transcript === null) throw new PermanentError('NO_TRANSCRIPT');
  if (summary === null) throw new PermanentError('NO_SUMMARY');
  const settings = await deps.settings(event.businessId, signal);
  if (settings === null) throw new PermanentError('BUSINESS_UNKNOWN');
  const definitions = fieldsToExtract(settings.fields);
  const { startedAt } = call;
  const { timezone } = settings;
  const numbers = [...settings.phone_numbers, call.direction === 'inbound' ? call.to : call.from];
  const spoken = { summary, transcript: transcript.text, segments: transcript.segments, startedAt, timezone, numbers };
  const { fields, usage, ms, isSuspected } = await extractFields(definitions, spoken, deps, signal);
  const { model, prices } = deps;
  const result = stageDone({ model, attempts: event.attempt, ms, usage, prices });
  const part = { fields, result: isSuspected ? { ...result, suspectedInjection: true } : result };
  return store(event, part, definitions, deps, signal);
}

/** Stores the CallLog of a call whose fields could not be extracted, with all that is known, and why. */
export async function handOn(
  event: Received<CallSummarized>,
  failure: Failure,
  deps: StoringDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const result = stageNotDone(failure, event.attempt, deps.prices);
  return store(event, { fields: [], result }, [], deps, signal);
}

/**
 * Extractor's own result is the CallLog: stored at our revision or a higher one, only the notice is left to do. A call that was
 * erased, or whose retention is over, is dropped without one.
 */
export async function ownResult(
  event: Received<CallSummarized>,
  deps: Pick<ExtractorDeps, 'find' | 'now'>,
  signal: AbortSignal,
): Promise<OutboundEvent[] | null> {
  const found = await deps.find(event.callSid, signal);
  switch (found.kind) {
    case 'none':
      return null;
    case 'call':
      return found.callLog.revision >= event.revision ? [noticeOf(event, found.callLog, deps.now())] : null;
    case 'erased':
    case 'expired':
      return [];
  }
}

type StoringDeps = Pick<ExtractorDeps, 'store' | 'report' | 'now' | 'prices'>;

async function store(
  event: Received<CallSummarized>,
  part: ExtractionPart,
  definitions: readonly FieldDefinition[],
  deps: StoringDeps,
  signal: AbortSignal,
): Promise<OutboundEvent[]> {
  const log = callLogOf(event, part);
  const outcome = await deps.store(log, signal);
  if (outcome.kind === 'erased') return [];
  const { callLog } = outcome;
  if (outcome.kind === 'stored' && !hasFailed(event, callLog)) deps.report(log, definitions);
  return [noticeOf(event, callLog, deps.now())];
}

type Standing = Pick<CallLog, 'failed_revision'>;

/** Whether this revision failed where an earlier one did not, so that what that said still stands. */
function hasFailed({ revision }: CallSummarized, { failed_revision: failed }: Standing): boolean {
  return failed?.revision === revision;
}

/**
 * A first result is always announced; a later one as whoever asked for it said, and announced when nothing was said. One that failed
 * changed nothing, so there is nothing to tell.
 */
function noticeOf(event: CallSummarized, callLog: Standing, nowMs: number): CallExtracted {
  const { type: _type, data, ...envelope } = event;
  return {
    version: envelope.version,
    businessId: envelope.businessId,
    callSid: envelope.callSid,
    revision: envelope.revision,
    type: 'call.extracted',
    id: eventId(event.callSid, 'extractor', event.revision),
    occurredAt: new Date(nowMs).toISOString(),
    data: { notify: event.revision === 1 || (data['notify'] !== false && !hasFailed(event, callLog)) },
  };
}
