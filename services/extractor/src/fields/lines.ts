import {
  comparableText,
  inflectionKeys,
  isInflectedWord,
  numbersIn,
  withoutDenied,
  wordForms,
} from '@pipeline/evidence';
import { areWordsSaid, neededWords } from './words-said.ts';

/**
 * The lines or sentences of a text that values are looked for in. A call of hours has thousands, and the answers hundreds of values, so
 * the words of all lines are read once, when the first value asks, and a value is held only against the lines that have its words.
 */
export type Lines = {
  readonly texts: readonly string[];
  /** Whether a line has the words of a short text, be it to deny them. */
  name(value: string): boolean;
  /** Whether a line says a short text. */
  say(value: string): boolean;
  /** Whether a line says a number that it does not deny. */
  sayNumber(value: number): boolean;
};

export function createLines(texts: readonly string[]): Lines {
  const linesWith = once(() => createWordIndex(texts));
  const plain = once(() => texts.map(comparableText));
  const numbers = new Map<string, ReadonlySet<number>>();
  const undeniedNumbers = once(() => new Set(texts.flatMap((text) => [...numbersOf(withoutDenied(text))])));

  const hasNumbers = (line: string, wanted: readonly (readonly number[])[]): boolean => {
    if (wanted.length === 0) return true;
    const said = numbers.get(line) ?? numbersOf(line);
    numbers.set(line, said);
    return wanted.every((values) => values.some((value) => said.has(value)));
  };

  function* naming(value: string): Generator<string> {
    const whole = comparableText(value);
    if (wordForms(value).length === 0) return;
    const words = neededWords(value).map((word) => linesWith()(word));
    const wanted = numbersIn(value).map(({ values }) => values);
    for (const [at, line] of texts.entries()) {
      const mayName = words.every((lines) => lines.has(at)) || plain()[at]?.includes(whole);
      if (mayName && hasNumbers(line, wanted) && areWordsSaid(value, line)) yield line;
    }
  }

  const isSaid = (value: string): boolean => {
    for (const line of naming(value)) {
      if (areWordsSaid(value, withoutDenied(line, value))) return true;
    }
    return false;
  };
  const said = new Map<string, boolean>();

  return {
    texts,
    name: (value) => naming(value).next().done === false,
    say(value) {
      const isKnown = said.get(value) ?? isSaid(value);
      said.set(value, isKnown);
      return isKnown;
    },
    sayNumber: (value) => undeniedNumbers().has(value),
  };
}

/** Lines of a transcript without the names of who spoke: those are ours, and nobody said them. */
export function spokenOf(lines: string): string {
  return lines.replaceAll(/^(?:caller|agent|unknown): /gmu, '').replace(/\n(?:caller|agent|unknown):?$/u, '');
}

/** Finds the numbers of the lines that have a word, whatever prefixes and endings it has there. */
function createWordIndex(texts: readonly string[]): (word: string) => ReadonlySet<number> {
  const linesOf = new Map<string, Set<number>>();
  const formsByKey = new Map<string, string[]>();
  for (const [at, text] of texts.entries()) {
    for (const form of wordForms(text)) {
      const lines = linesOf.get(form) ?? new Set();
      if (lines.size === 0) {
        linesOf.set(form, lines);
        for (const key of inflectionKeys(form))
          formsByKey
            .set(key, formsByKey.get(key) ?? [])
            .get(key)
            ?.push(form);
      }
      lines.add(at);
    }
  }
  const known = new Map<string, ReadonlySet<number>>();
  return (word) => {
    const found = known.get(word) ?? new Set(formsLike(word).flatMap((form) => [...(linesOf.get(form) ?? [])]));
    known.set(word, found);
    return found;
  };

  function formsLike(word: string): string[] {
    const forms = new Set(inflectionKeys(word).flatMap((key) => formsByKey.get(key) ?? []));
    return [...forms].filter((form) => isInflectedWord(word, form));
  }
}

function numbersOf(text: string): ReadonlySet<number> {
  return new Set(numbersIn(text).flatMap(({ values }) => values));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
