import { digitRuns, isAddressSaid, numbersIn } from '@pipeline/evidence';

/** What was said in the call, words to the machine left out. `knowsNumbers`: in a language whose words for numbers we know. */
export type SpokenWords = {
  readonly text: string;
  readonly values: ReadonlySet<number>;
  readonly runs: readonly string[];
  readonly knowsNumbers: boolean;
};

const KNOWN_LANGUAGES = new Set(['en', 'he', 'ar', 'ru', 'es']);
/** Smaller numbers are counts, hours and days, which a summary may work out by itself. */
const LEAST_NUMBER = 100;
/** Where number words are not known, only what nobody says in words. */
const LEAST_NUMERAL = 10_000;
/** The end of a telephone number by which it is known however its beginning is written. */
const TAIL_DIGITS = 7;
/** Digits in groups. */
const TELEPHONE = /\+?\d[\d\s().-]{5,20}\d/gu;
const ADDRESSES =
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?:\/\/)?(?:[\w-]+\.)+(?:com|org|net|io|info|biz|app|dev|example|test|[a-z]{2})\b(?:\/\S*)?/giu;

/** Makes the words of a call ready for comparison, once for all sentences. */
export function spokenWords(text: string, language: string | null): SpokenWords {
  return {
    text,
    values: new Set(numbersIn(text).flatMap(({ values }) => values)),
    runs: digitRuns(text),
    knowsNumbers: language === null || KNOWN_LANGUAGES.has(language.split('-')[0] ?? language),
  };
}

/** Whether every address and every number of a sentence was said. */
export function isGrounded(sentence: string, spoken: SpokenWords): boolean {
  const addresses = sentence.match(ADDRESSES) ?? [];
  if (
    !addresses.every((address) =>
      isAddressSaid(address.replace(/^https?:\/\//iu, '').replace(/[/.,]+$/u, ''), spoken.text),
    )
  )
    return false;
  const least = spoken.knowsNumbers ? LEAST_NUMBER : LEAST_NUMERAL;
  const withoutTelephones = sentence.replaceAll(TELEPHONE, (number) =>
    isDialled(number.replaceAll(/\D/gu, ''), spoken.runs) ? '' : number,
  );
  return numbersIn(withoutTelephones).every(({ values, digits }) => {
    if (values.every((value) => Math.abs(value) < least)) return true;
    return values.some((value) => spoken.values.has(value)) || isDialled(digits, spoken.runs);
  });
}

/** Digits that are a part of a longer number that was said, or end like one. */
function isDialled(digits: string, runs: readonly string[]): boolean {
  if (runs.some((run) => run.includes(digits))) return true;
  const tail = digits.slice(-TAIL_DIGITS);
  return tail.length === TAIL_DIGITS && runs.some((run) => run.endsWith(tail));
}
