import { comparableText } from '../comparable.ts';
import { numbersIn } from '../numbers/numbers.ts';

/** Words before a number that make it a day of the month, without accents: `el 12`, `ביום 12`, `يوم 12`. */
const DAY_BEFORE = /(?:^|[^\p{L}])(?:el|dia|ביומ|יומ|בתאריכ|תאריכ|يوم|بتاريخ|تاريخ|date) $/u;
/** And words after it: `12 числа`, `12 לחודש`. */
const DAY_AFTER =
  /^ ?(?:числа|число|го|לחודש|לחדש|בחודש|של החודש|من الشهر|بالشهر|of the month|del mes|de este mes)(?![\p{L}])/u;
/** `the 12`, and no noun after it. */
const THE = /(?:^|[^\p{L}])the $/u;

const TIME_BEFORE =
  /(?:^|[^\p{L}])(?:at|by|around|until|till|after|before|past|between|ב|בשעה|השעה|לשעה|שעה|בסביבות|עד|אחרי|לפני|الساعه|ساعه|بالساعه|للساعه|в|во|к|около|до|после|las|a la|sobre) $/u;
const TIME_AFTER = /^ ?(?:o'?clock|oclock|часов|часа|час|en punto|בדיוק)(?![\p{L}])/u;

/** Whether a number of some words stands as a day of a month does. */
export function hasDayForm(words: string): boolean {
  return numberPlaces(words).some(
    ({ before, after }) =>
      DAY_BEFORE.test(before) || DAY_AFTER.test(after) || (THE.test(before) && !/^ \p{L}/u.test(after)),
  );
}

/** Whether a number of some words stands as an hour does: after `at`, before `o'clock`, or as two numbers and nothing else. */
export function hasHourForm(words: string): boolean {
  const places = numberPlaces(words);
  const isAlone =
    comparableText(words)
      .replaceAll(/[^\p{L}\p{N} ]/gu, '')
      .trim() === places.map(({ said }) => said).join(' ');
  return (
    (isAlone && places.length > 1) ||
    places.some(
      ({ before, said, after }) =>
        TIME_BEFORE.test(before) || TIME_AFTER.test(after) || /^ב\p{L}{2}/u.test(said) || said.startsWith('ال'),
    )
  );
}

function numberPlaces(words: string): { readonly before: string; readonly said: string; readonly after: string }[] {
  const text = comparableText(words);
  return numbersIn(words).map(({ start, end }) => ({
    before: withoutMarks(text.slice(0, start)),
    said: withoutMarks(text.slice(start, end)),
    after: withoutMarks(text.slice(end)),
  }));
}

function withoutMarks(text: string): string {
  return text.replaceAll(/\p{M}/gu, '');
}
