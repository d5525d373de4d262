import { liveTurnSchema } from '@pipeline/contracts';
import { WEBHOOK_KEYS } from '@pipeline/contracts/webhook';
import type { ReceivedWebhook } from '@pipeline/sandbox';
import type { Document } from 'mongodb';
import { z } from 'zod';
import type { Screen } from './screen.ts';

/** What became of one call of the demo. */
export type DemoResult = {
  readonly callSid: string;
  readonly dialogueId: string;
  readonly callLog: Document;
  readonly webhook: ReceivedWebhook;
  readonly body: Readonly<Record<string, unknown>>;
};

const LONG = 160;
const WIDTH = 18;

/** One call in full: the document, then the webhook that was built from it. */
export function showCall(screen: Screen, { callLog, webhook, body }: DemoResult): void {
  const { colors } = screen;
  screen.line();
  screen.line(
    colors.bold('CallLog') + colors.dim('  calls.call_logs, one document a call, written by extractor alone'),
  );
  for (const key of CALL_LOG_KEYS) {
    show(screen, key, key === 'transcription' ? liveTurns(callLog['transcription_turns']) : callLog[key]);
  }
  screen.line();
  screen.line(colors.bold('Webhook') + colors.dim('  built from that document and nothing else'));
  screen.line(`  POST               ${brief(webhook.webhookId)}`);
  for (const key of WEBHOOK_KEYS) show(screen, key, body[key]);
  const more = Object.keys(body).slice(WEBHOOK_KEYS.length);
  screen.line(colors.dim(`  and                ${more.join(', ')}`));
  screen.line(`  ${signature(screen, webhook)}`);
}

const CALL_LOG_KEYS = [
  '_id',
  'businessId',
  'status',
  'revision',
  'duration_sec',
  'transcription',
  'final_transcript',
  'summary',
  'extracted_city',
  'extracted_service',
  'fields',
  'stored_at',
] as const;

const turnsSchema = z.array(liveTurnSchema);

/** The live transcript, a line a turn, with what became of turns that the caller cut. */
function liveTurns(stored: unknown): string | null {
  const turns = turnsSchema.safeParse(stored);
  if (!turns.success || turns.data.length === 0) return null;
  const lines = turns.data.map(({ speaker, text, interrupted, heardMs }) => {
    const cut =
      interrupted === true ? `  ✂ cut by the caller, ${((heardMs ?? 0) / 1_000).toFixed(2)} s were heard` : '';
    return `${speaker}: ${text}${cut}`;
  });
  return lines.join('\n');
}

/** Several calls, a line each. */
export function showTable(screen: Screen, results: readonly DemoResult[]): void {
  screen.line();
  for (const { callSid, dialogueId, callLog, webhook } of results) {
    const found = [callLog['extracted_city'], callLog['extracted_service']]
      .map((value) => String(value ?? '-'))
      .join(', ');
    const verdict = webhook.verified
      ? screen.colors.green('signature valid')
      : screen.colors.red('signature NOT valid');
    screen.line(
      `  ${callSid.slice(0, 10)}…  ${dialogueId.padEnd(20)} ${String(callLog['status']).padEnd(9)} ${verdict}  ${found}`,
    );
  }
}

function signature(screen: Screen, webhook: ReceivedWebhook): string {
  return webhook.verified
    ? screen.colors.green('signature valid    Standard Webhooks, checked by the receiver over the raw bytes')
    : screen.colors.red('signature NOT valid');
}

/** A field: texts of several lines below each other, lists an entry a line, everything else in one. */
function show(screen: Screen, key: string, value: unknown): void {
  const lines =
    typeof value === 'string' && value.includes('\n')
      ? value.split('\n')
      : Array.isArray(value)
        ? value.map((entry) => brief(entry))
        : [brief(value)];
  for (const [n, line] of lines.entries()) screen.line(`  ${(n === 0 ? key : '').padEnd(WIDTH)} ${line}`);
}

/** A value in one line, cut where it grows long. */
function brief(value: unknown): string {
  const text = value instanceof Date ? value.toISOString() : JSON.stringify(value ?? null);
  return text.length > LONG ? `${text.slice(0, LONG)}… (${text.length} characters)` : text;
}
