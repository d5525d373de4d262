import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reportOf } from './report.ts';
import { scoreOf, type Judged } from './score.ts';

const OUTCOMES = ['right', 'wrong', 'missed', 'invented', 'rightly_nothing'] as const;
const one = (outcome: Judged['outcome'], dialogueId = 'a', key = 'city', language = 'he'): Judged => ({
  dialogueId,
  language,
  key,
  expected: null,
  actual: null,
  outcome,
});

test('precision is of what was found, recall of what was to be found', () => {
  const judged = [
    one('right'),
    one('right'),
    one('wrong'),
    one('missed'),
    one('invented'),
    one('rightly_nothing', 'b'),
  ];
  expect(scoreOf(judged)).toEqual({ cases: 2, precision: 2 / 4, recall: 2 / 4 });
  expect(scoreOf([one('right'), one('missed')])).toMatchObject({ precision: 1, recall: 0.5 });
  expect(scoreOf([one('right'), one('invented')])).toMatchObject({ precision: 0.5, recall: 1 });
});

test('where there is nothing to find and nothing was found, all is right', () => {
  expect(scoreOf([one('rightly_nothing')])).toEqual({ cases: 1, precision: 1, recall: 1 });
});

test('is 1 exactly when every field is as expected', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...OUTCOMES), { minLength: 1 }), (outcomes) => {
      const { precision, recall } = scoreOf(outcomes.map((outcome) => one(outcome)));
      const isPerfect = outcomes.every((outcome) => outcome === 'right' || outcome === 'rightly_nothing');
      expect(precision === 1 && recall === 1).toBe(isPerfect);
    }),
  );
});

test('a report has all, each field, each language, each field of a language, and every problem', () => {
  const judged = [
    one('right'),
    one('missed', 'a', 'service'),
    one('right', 'b', 'city', 'en'),
    one('right', 'b', 'service', 'en'),
  ];
  const { fields, languages, problems, ...all } = reportOf({ judged, failed: [] });
  expect(all).toEqual({ cases: 2, precision: 1, recall: 0.75, failed: [] });
  expect(fields).toEqual({
    city: { cases: 2, precision: 1, recall: 1 },
    service: { cases: 2, precision: 1, recall: 0.5 },
  });
  expect(languages['he']).toEqual({
    cases: 1,
    precision: 1,
    recall: 0.5,
    fields: { city: { cases: 1, precision: 1, recall: 1 }, service: { cases: 1, precision: 1, recall: 0 } },
  });
  expect(problems).toMatchObject([{ dialogueId: 'a', key: 'service', outcome: 'missed' }]);
});
