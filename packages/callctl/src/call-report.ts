import type { DeliveryRow } from '@pipeline/call-store/deliveries';
import type { CallLog } from '@pipeline/contracts';
import { foreignText } from './terminal-text.ts';
import { interruptionsOf, transcriptRows, transcriptText } from './transcript-report.ts';

/** What `show` tells of a stored call. */
export type CallReport = {
  readonly callLog: CallLog;
  readonly deliveries: readonly DeliveryRow[];
  readonly withTranscript: boolean;
};

/** Parts of a CallLog that hold what was said word for word, shown only when asked for. */
const SPEECH = ['transcription', 'transcription_turns', 'final_transcript', 'final_segments'] as const;

/** The call as a value for programs. */
export function reportJson({ callLog, deliveries, withTranscript }: CallReport): unknown {
  const hidden: readonly string[] = withTranscript ? [] : SPEECH;
  const shown = Object.fromEntries(Object.entries(callLog).filter(([key]) => !hidden.includes(key)));
  const interruptions = interruptionsOf(callLog);
  return { kind: 'call', callLog: shown, interruptions, deliveries: deliveries.map(({ body: _body, ...row }) => row) };
}

/** The call as lines for a person. */
export function reportText({ callLog, deliveries, withTranscript }: CallReport, isTerminal: boolean): string {
  const foreign = (text: string | null): string => (text === null ? '-' : foreignText(text, isTerminal));
  const seconds = callLog.duration_sec === null ? '' : `, ${callLog.duration_sec} s`;
  const previous = callLog.previous === null ? '' : ` (in place of ${callLog.previous.revision})`;
  const rows: readonly (readonly [string, string])[] = [
    ['call', callLog.callSid],
    ['business', callLog.businessId],
    ['direction', `${callLog.direction}, ${foreign(callLog.from)} -> ${foreign(callLog.to)}`],
    ['time', `${callLog.startedAt} to ${callLog.endedAt}${seconds}`],
    ['ended', `${foreign(callLog.endedReason)} (${callLog.source})`],
    ['status', `${callLog.status}, revision ${callLog.revision}${previous}, stored ${callLog.stored_at}`],
    ...failedRows(callLog),
    ...stageRows(callLog),
    ...transcriptRows(callLog, isTerminal),
    ['summary', foreign(callLog.summary)],
    ...callLog.fields.map((field) => [`field ${field.key}`, fieldText(field, foreign)] as const),
    ...deliveryRows(deliveries),
  ];
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `${left.padEnd(width)}  ${indented(right, width + 2)}`);
  return [...lines, ...(withTranscript ? ['', transcriptText(callLog, isTerminal)] : [])].join('\n');
}

function failedRows({ failed_revision: failed }: CallLog): (readonly [string, string])[] {
  if (failed === undefined) return [];
  const { transcriber, summarizer, extractor } = failed.stages;
  const codes = [transcriber, summarizer, extractor].flatMap((part) => part?.code ?? []);
  return [['re-analysis', `revision ${failed.revision} failed: ${codes.join(', ')}; all here is of before`]];
}

function stageRows(callLog: CallLog): (readonly [string, string])[] {
  const { transcriber, summarizer, extractor } = callLog.stages;
  return Object.entries({ transcriber, summarizer, extractor }).map(([stage, part]) => {
    if (part === undefined) return [stage, 'did not run'] as const;
    const details = [part.code, part.model, `${part.ms} ms`, `attempt ${part.attempts}`].filter(
      (detail) => detail !== null,
    );
    return [stage, `${part.state}: ${details.join(', ')}`] as const;
  });
}

function fieldText(field: CallLog['fields'][number], foreign: (text: string) => string): string {
  if (field.status !== 'found') return field.status;
  return foreign(typeof field.value === 'string' ? field.value : JSON.stringify(field.value));
}

function deliveryRows(deliveries: readonly DeliveryRow[]): (readonly [string, string])[] {
  if (deliveries.length === 0) return [['webhook', 'none yet']];
  return deliveries.map((row) => {
    const next = row.nextAttemptAt === null ? '' : `, next look ${row.nextAttemptAt.toISOString()}`;
    return ['webhook', `${row.webhookId} to ${row.endpointId}: ${row.state}, attempts ${row.attempts}${next}`] as const;
  });
}

function indented(text: string, width: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(width)}`);
}
