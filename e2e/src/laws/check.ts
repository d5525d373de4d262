import type { CodeEvidence, RunEvidence } from './evidence.ts';
import { LAWS } from './laws.ts';

export type Verdict = { readonly number: number; readonly what: string; readonly violations: readonly string[] };

/** Holds every law against the evidence. */
export function checkLaws(code: CodeEvidence, run: RunEvidence): Verdict[] {
  return LAWS.map((law) => ({ number: law.number, what: law.what, violations: law.violations(code, run) }));
}

/** The verdicts as lines for people; the last one says that all passed, if they did. */
export function verdictLines(verdicts: readonly Verdict[]): string[] {
  const lines = verdicts.flatMap(({ number, what, violations }) =>
    violations.length === 0
      ? [`✅ Test ${number}: ${what} — PASS`]
      : [`❌ Test ${number}: ${what} — FAIL`, ...violations.map((violation) => `   ${violation}`)],
  );
  const failed = verdicts.filter((verdict) => verdict.violations.length > 0);
  return [...lines, failed.length === 0 ? '✅ ALL TESTS PASSED!' : `❌ ${failed.length} of ${verdicts.length} FAILED`];
}
