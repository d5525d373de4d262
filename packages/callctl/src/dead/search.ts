import { businessIdSchema, COMMAND_CONSUMER, STAGES } from '@pipeline/contracts';
import type { DeadLetters, LetterFacts } from '@pipeline/messaging';
import { parseMoment } from '../since.ts';
import { UsageError, type Context, type VerbOption } from '../verb.ts';

const CONSUMERS = [...Object.keys(STAGES), COMMAND_CONSUMER];

/** The options that say which dead letters are meant. */
export const SEARCH_OPTIONS = {
  since: { value: '<time>', summary: 'set aside since then: 24h, 7d, a day or an instant' },
  business: { value: '<businessId>', summary: 'only of this business' },
  stage: { value: '<consumer>', summary: `set aside by one of ${CONSUMERS.join(', ')}` },
  reason: { value: '<CODE>', summary: 'the code of the reason: NOT_JSON, INVALID_EVENT, UNKNOWN_VERSION, ...' },
} as const satisfies Record<string, VerbOption>;

export type LetterSearch = {
  readonly since: number | null;
  readonly fits: (letter: LetterFacts) => boolean;
};

/** What the options of {@link SEARCH_OPTIONS} ask for. Throws a UsageError for what they cannot mean. */
export function searchOf({ options }: Context, nowMs: number): LetterSearch {
  const business = businessIdSchema.optional().safeParse(options['business']);
  if (!business.success) throw new UsageError('--business is 1 to 64 letters, digits, _ or -');
  const { stage, reason, since } = options;
  if (stage !== undefined && !CONSUMERS.includes(String(stage)))
    throw new UsageError(`--stage is one of ${CONSUMERS.join(', ')}`);
  if (reason !== undefined && !/^[A-Z_]{1,64}$/.test(String(reason)))
    throw new UsageError('--reason is a code as `callctl dead list` has it: NOT_JSON, INVALID_EVENT, ...');
  return {
    since: typeof since === 'string' ? parseMoment('since', since, new Date(nowMs)).getTime() : null,
    fits: (letter) =>
      (business.data === undefined || letter.businessId === business.data) &&
      (stage === undefined || letter.stage === stage) &&
      (reason === undefined || letter.code === reason),
  };
}

/** The letters of one call, oldest first. */
export async function lettersOf(letters: DeadLetters, callSid: string, signal: AbortSignal): Promise<LetterFacts[]> {
  const found: LetterFacts[] = [];
  for await (const letter of letters.list({ callSid }, signal)) found.push(letter);
  return found;
}

/** A call as the subject of its dead letter names it: what was set aside may be no call of Twilio at all. */
export function callOf(typed: string | undefined): string {
  if (typed === undefined || !/^[A-Za-z0-9_-]{1,64}$/.test(typed))
    throw new UsageError('<callSid> is that of a call, as `callctl dead list` has it');
  return typed;
}
