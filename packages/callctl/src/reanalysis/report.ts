import { foreignText } from '../terminal-text.ts';
import { isSame, type FieldChange } from './difference.ts';
import type { Estimate } from './estimate.ts';
import type { Outcome } from './rerun.ts';

/** What became of one call, for a person: one line, and one more for each change. */
export function outcomeText(outcome: Outcome, isTerminal: boolean): string {
  const foreign = (text: string | null): string => (text === null ? '-' : foreignText(text, isTerminal));
  switch (outcome.kind) {
    case 'skipped':
      return `${outcome.callSid}  skipped: ${outcome.why.replaceAll('_', ' ')}`;
    case 'failed':
      return `${outcome.callSid}  revision ${outcome.revision} failed: ${outcome.codes.join(', ')}${outcome.stands ? '; what was stored before still stands' : ''}`;
    case 'waiting':
      return `${outcome.callSid}  revision ${outcome.revision} is not stored yet; see: callctl show ${outcome.callSid}`;
    case 'stored': {
      const { difference } = outcome;
      const head = `${outcome.callSid}  revision ${outcome.revision}: ${isSame(difference) ? 'says the same' : 'changed'}`;
      const { status, summary } = difference;
      return [
        head,
        ...(status === null ? [] : [`    status   ${status.before} -> ${status.after}`]),
        ...(summary === null
          ? []
          : [`    summary  - ${foreign(summary.before)}`, `             + ${foreign(summary.after)}`]),
        ...difference.fields.map(
          ({ key, before, after }) => `    ${key}  ${foreign(findingText(before))} -> ${foreign(findingText(after))}`,
        ),
      ].join('\n');
    }
  }
}

/** What a rehearsal found, for a person. */
export function estimateText(estimate: Estimate, skipped: Readonly<Record<string, number>>): string {
  const { calls, costUsd, unknown, inputTokens, outputTokens } = estimate;
  const reasons = Object.entries(skipped).map(([why, count]) => `${count} ${why.replaceAll('_', ' ')}`);
  return [
    `${calls} calls would be worked again${reasons.length === 0 ? '' : `; skipped: ${reasons.join(', ')}`}`,
    `about $${costUsd.toFixed(4)} by what they cost before (${inputTokens} tokens in, ${outputTokens} out)`,
    ...(unknown === 0
      ? []
      : [`${unknown} of them have no known cost: their model has no price, or was not paid before`]),
    'nothing was asked of a provider and nothing was changed',
  ].join('\n');
}

function findingText(finding: FieldChange['after']): string {
  if (finding === null) return '(not asked)';
  if (finding.status !== 'found') return `(${finding.status.replaceAll('_', ' ')})`;
  return typeof finding.value === 'string' ? finding.value : JSON.stringify(finding.value);
}
