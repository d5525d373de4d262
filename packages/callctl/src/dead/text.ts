import type { LetterFacts, OpenLetter } from '@pipeline/messaging';
import { foreignText } from '../terminal-text.ts';

/** One letter in one line. Reasons name fields and rules, never values. */
export function letterLine(letter: LetterFacts, isTerminal: boolean): string {
  const { seq, callSid, businessId, stage, code, reason, storedAt } = letter;
  const at = new Date(storedAt).toISOString().slice(0, 19);
  return foreignText(`${seq}  ${at}Z  ${callSid} of ${businessId}  ${stage}: ${code}, ${reason}`, isTerminal);
}

/** Everything that is known of a letter, and whether it would be read now. */
export function letterText(letter: OpenLetter, isTerminal: boolean, withBody: boolean): string {
  const rows = Object.entries(letterJson(letter, false))
    .filter(([name]) => name !== 'reading')
    .map(([name, value]) => `  ${name.padEnd(10)} ${foreignText(String(value), isTerminal)}`);
  const body = withBody ? ['', foreignText(Buffer.from(letter.body).toString('utf8'), isTerminal)] : [];
  return [letterLine(letter, isTerminal), ...rows, readingText(letter), ...body].join('\n');
}

/** The same as a value; the body in base64, for it may be no text. */
export function letterJson({ body, reading, ...facts }: OpenLetter, withBody: boolean): object {
  const read =
    reading.kind === 'event' ? { kind: 'event', type: reading.event.type, revision: reading.event.revision } : reading;
  const bytes = withBody ? { body: Buffer.from(body).toString('base64') } : {};
  return { ...facts, storedAt: new Date(facts.storedAt).toISOString(), reading: read, ...bytes };
}

function readingText({ callSid, reading }: OpenLetter): string {
  if (reading.kind === 'event')
    return `This version reads it: ${reading.event.type}, revision ${reading.event.revision}. Next: callctl dead replay ${callSid}`;
  return `This version does not read it either: ${reading.code}, ${reading.reason}. A replay would set it aside again.`;
}
