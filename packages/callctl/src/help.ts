import type { Verb } from './verb.ts';

const GLOBAL = { json: 'print the result as one JSON value', help: 'show this' };

/** The list of all verbs. */
export function helpOfAll(verbs: readonly Verb[]): string {
  const rows = verbs.map((verb) => [[verb.name, ...verb.arguments].join(' '), verb.summary] as const);
  return lines([
    'Usage: callctl <verb> [arguments] [options]',
    '',
    'Verbs:',
    ...table(rows),
    '',
    'Options of every verb:',
    ...table(Object.entries(GLOBAL).map(([name, summary]) => [`--${name}`, summary] as const)),
    '',
    'Exit codes: 0 done, 1 failed, 2 typed wrong. `callctl <verb> --help` shows one verb.',
  ]);
}

/** One verb with its options. */
export function helpOfVerb(verb: Verb): string {
  const own = Object.entries(verb.options).map(([name, option]) => {
    const preset = option.default === undefined ? '' : ` (default ${option.default})`;
    return [`--${name}${option.value === undefined ? '' : ` ${option.value}`}`, `${option.summary}${preset}`] as const;
  });
  const all = [...own, ...Object.entries(GLOBAL).map(([name, summary]) => [`--${name}`, summary] as const)];
  return lines([usageOf(verb), '', `${verb.summary}.`, '', 'Options:', ...table(all)]);
}

/** The one line that shows how a verb is typed. */
export function usageOf(verb: Verb): string {
  return `Usage: callctl ${[verb.name, ...verb.arguments].join(' ')} [options]`;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function lines(all: readonly string[]): string {
  return all.join('\n');
}
