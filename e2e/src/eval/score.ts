import { fieldsToExtract, type FieldValue, type NewCallLog } from '@pipeline/contracts';
import { isSameValue } from './same-value.ts';
import type { Case } from './stages.ts';

/** What became of one field of one dialogue. */
export type Judged = {
  readonly dialogueId: string;
  readonly language: string;
  readonly key: string;
  readonly expected: FieldValue;
  readonly actual: FieldValue;
  readonly outcome: 'right' | 'wrong' | 'missed' | 'invented' | 'rightly_nothing';
};

/**
 * How good many fields are. `precision`: of the values that were found, the share that is right. `recall`: of the values that should be
 * found, the share that was found right. Both 1 where there was nothing to find and nothing was found. `cases`: dialogues.
 */
export type Score = { readonly cases: number; readonly precision: number; readonly recall: number };

/** The fields of a dialogue, each with what became of it. City and service are judged as the CallLog has them for everybody. */
export function judgeCase({ dialogue, business }: Case, log: Pick<NewCallLog, 'fields'>): Judged[] {
  const { fields, city, service } = dialogue.expect;
  const expectations: Readonly<Record<string, FieldValue>> = {
    ...fields,
    city: fields['city'] ?? city,
    service: fields['service'] ?? service,
  };
  return fieldsToExtract(business.fields).flatMap(({ key, type }) => {
    const expected = expectations[key];
    if (expected === undefined) return [];
    const actual = log.fields.find((field) => field.key === key)?.value ?? null;
    const outcome = outcomeOf(expected, actual, isSameValue(type, expected, actual));
    return [{ dialogueId: dialogue.id, language: dialogue.language, key, expected, actual, outcome }];
  });
}

function outcomeOf(expected: FieldValue, actual: FieldValue, isSame: boolean): Judged['outcome'] {
  if (expected === null) return actual === null ? 'rightly_nothing' : 'invented';
  if (actual === null) return 'missed';
  return isSame ? 'right' : 'wrong';
}

/** The score of many fields together. */
export function scoreOf(judged: readonly Judged[]): Score {
  const count = (...outcomes: readonly Judged['outcome'][]): number =>
    judged.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const right = count('right');
  const found = right + count('wrong', 'invented');
  const wanted = right + count('wrong', 'missed');
  return {
    cases: new Set(judged.map(({ dialogueId }) => dialogueId)).size,
    precision: found === 0 ? 1 : right / found,
    recall: wanted === 0 ? 1 : right / wanted,
  };
}

/** The score of each group of fields, in the order in which groups first occur. */
export function scoresBy(judged: readonly Judged[], group: (one: Judged) => string): Record<string, Score> {
  const names = [...new Set(judged.map(group))];
  return Object.fromEntries(names.map((name) => [name, scoreOf(judged.filter((one) => group(one) === name))]));
}
