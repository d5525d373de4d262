import { z } from 'zod';
import type { FieldDefinition, FieldResult, FieldValue } from '@pipeline/contracts';
import { maskCards } from '@pipeline/evidence';
import type { Country } from './address.ts';
import { isBorneOut, type Words } from './borne-out.ts';
import { findEvidence, type Found, type Source } from './evidence.ts';
import { createLines, spokenOf, type Lines } from './lines.ts';
import { readValue } from './value.ts';

const answerSchema = z.object({
  value: z.unknown(),
  status: z.enum(['found', 'not_mentioned', 'ambiguous']),
  quote: z.string().nullable(),
});
type FieldAnswer = z.infer<typeof answerSchema>;

/** What a model answered, by the key of the field. */
export type FieldAnswers = ReadonlyMap<string, FieldAnswer>;

/** What answers are held against: the texts of the call, and where and when it was. */
export type CallContext = {
  readonly sources: readonly Source[];
  /** Of telephone numbers that are said without their country. */
  readonly country: Country | undefined;
  /** `YYYY-MM-DD`, where the business is. */
  readonly today: string;
};

/** Reads a model's answer. Undefined when a field is missing or has not the asked form; keys that nobody asked for are ignored. */
export function readAnswers(json: unknown, fields: readonly FieldDefinition[]): FieldAnswers | undefined {
  if (json === null || typeof json !== 'object') return undefined;
  const given = new Map<string, unknown>(Object.entries(json));
  const answers = new Map<string, FieldAnswer>();
  for (const { key } of fields) {
    const answer = answerSchema.safeParse(given.get(key));
    if (!answer.success) return undefined;
    answers.set(key, answer.data);
  }
  return answers;
}

/**
 * What becomes of a model's answer. A value counts only when it has the type of its field, its quote stands in a text that the field may
 * be quoted from, the quoted words say the value, and so does the call itself: whatever a model says without that is `invalid`, and its
 * value is gone. Words that speak to the machine bear nothing out.
 */
export function judgeAnswer(field: FieldDefinition, answer: FieldAnswer | undefined, call: CallContext): FieldResult {
  const without = (status: 'not_mentioned' | 'ambiguous' | 'invalid', isSuspected = false): FieldResult => {
    const result = { key: field.key, value: null, status, evidence: null };
    return isSuspected ? { ...result, suspectedInjection: true } : result;
  };
  if (answer === undefined) return without('invalid');
  if (answer.status !== 'found') return without(answer.status);
  const judged = readValue(field, answer.value, call.country);
  if (judged.kind === 'nothing') return without('not_mentioned');
  const found = findEvidence(answer.quote ?? '', field.from, call.sources, !DENIED_BY_THEMSELVES.has(field.type));
  if (judged.kind === 'invalid' || found.kind !== 'found') return without('invalid', found.kind === 'barred');
  if (!isBorneOut(field, judged.value, wordsOf(found, call))) return without('invalid');
  const support = found.evidence.source === 'summary' ? supportOf(field, judged.value, call) : 'said';
  if (support !== 'said') return without('invalid', support === 'barred');
  const evidence = { ...found.evidence, quote: maskCards(found.evidence.quote) };
  return { key: field.key, value: judged.value, status: 'found', evidence };
}

function wordsOf({ evidence, passage, before }: Extract<Found, { kind: 'found' }>, call: CallContext): Words {
  const lines = sourceOf(call, evidence.source)?.said ?? createLines([]);
  const [quote = '', held = ''] =
    evidence.source === 'transcript' ? [evidence.quote, passage].map(spokenOf) : [evidence.quote, passage];
  return { quote, passage: held, before, lines, today: call.today };
}

function sourceOf({ sources }: CallContext, wanted: Source['name']): Source | undefined {
  return sources.find(({ name }) => name === wanted);
}

/** Yes, no and options may be said by what denies them, and a longer text sums up. */
const DENIED_BY_THEMSELVES: ReadonlySet<FieldDefinition['type']> = new Set(['boolean', 'enum', 'text']);

/** Types whose values sound the same in every language: a summary may not have them from itself. */
const SAID_ALIKE: ReadonlySet<FieldDefinition['type']> = new Set([
  'integer',
  'number',
  'date',
  'time',
  'phone',
  'email',
]);

/**
 * Whether the call says what its summary says. Numbers, dates and addresses must be there. Other words a summary chooses itself, maybe
 * in another language, but not what the call denies; and in a call in which somebody speaks to the machine, nothing counts that the summary alone says.
 */
function supportOf(field: FieldDefinition, value: FieldValue, call: CallContext): 'said' | 'barred' | 'unsaid' {
  const { said, barred } = sourceOf(call, 'transcript') ?? { said: createLines([]), barred: createLines([]) };
  if (isOnlyDenied(field, value, said)) return 'unsaid';
  const hasBarred = barred.texts.length > 0;
  if (!hasBarred && !SAID_ALIKE.has(field.type)) return 'said';
  const isSaidIn = (texts: readonly string[]): boolean =>
    texts.some((text) =>
      isBorneOut(field, value, { quote: text, passage: text, before: '', lines: said, today: call.today }),
    );
  if (said.texts.length === 0) return hasBarred ? 'barred' : 'unsaid';
  const isWhole = SAID_ALIKE.has(field.type) && field.type !== 'time';
  if (isSaidIn(isWhole ? [said.texts.join('\n')] : said.texts)) return 'said';
  return hasBarred ? 'barred' : 'unsaid';
}

/** Whether the call has the words of a value, and denies them wherever it has them. */
function isOnlyDenied(field: FieldDefinition, value: FieldValue, lines: Lines): boolean {
  return field.type === 'string' && typeof value === 'string' && lines.name(value) && !lines.say(value);
}
