import type { Evaluated, FailedCase } from './evaluate.ts';
import { scoreOf, scoresBy, type Judged, type Score } from './score.ts';

/** What `--json` prints: the score of all, of each field, of each language, and of each field in each language. */
export type EvalReport = Score & {
  readonly fields: Readonly<Record<string, Score>>;
  readonly languages: Readonly<Record<string, Score & { readonly fields: Readonly<Record<string, Score>> }>>;
  /** Dialogues of which a part failed, with its code: they count with nothing found. */
  readonly failed: readonly FailedCase[];
  /** What is not as expected. Values are left out of fields that a business calls sensitive only by whoever prints them. */
  readonly problems: readonly Pick<Judged, 'dialogueId' | 'key' | 'outcome' | 'expected' | 'actual'>[];
};

/** The report of an evaluation. */
export function reportOf({ judged, failed }: Evaluated): EvalReport {
  const languages = Object.entries(scoresBy(judged, ({ language }) => language)).map(([language, score]) => {
    const own = judged.filter((one) => one.language === language);
    return [language, { ...score, fields: scoresBy(own, ({ key }) => key) }] as const;
  });
  const problems = judged.filter(({ outcome }) => outcome !== 'right' && outcome !== 'rightly_nothing');
  return {
    ...scoreOf(judged),
    fields: scoresBy(judged, ({ key }) => key),
    languages: Object.fromEntries(languages),
    failed,
    problems: problems.map(({ dialogueId, key, outcome, expected, actual }) => ({
      dialogueId,
      key,
      outcome,
      expected,
      actual,
    })),
  };
}

/** The report as a table for a terminal. */
export function reportText(report: EvalReport): string {
  const rows = [
    ...Object.entries(report.fields).map(([name, score]) => rowOf(name, score)),
    '',
    ...Object.entries(report.languages).flatMap(([language, score]) => [
      rowOf(language, score),
      ...Object.entries(score.fields).map(([name, own]) => rowOf(`  ${name}`, own)),
    ]),
    '',
    rowOf('all', report),
  ];
  const problems = report.problems.map(
    ({ dialogueId, key, outcome, expected, actual }) =>
      `${dialogueId} ${key}: ${outcome}, expected ${shown(expected)}, got ${shown(actual)}`,
  );
  const failed = report.failed.map(({ dialogueId, code }) => `${dialogueId}: failed, ${code}`);
  return [
    `${'field or language'.padEnd(22)}${'dialogues'.padStart(10)}${'precision'.padStart(11)}${'recall'.padStart(9)}`,
    ...rows,
    ...failed,
    ...problems,
  ].join('\n');
}

function rowOf(name: string, { cases, precision, recall }: Score): string {
  return `${name.padEnd(22)}${String(cases).padStart(10)}${precision.toFixed(3).padStart(11)}${recall.toFixed(3).padStart(9)}`;
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
