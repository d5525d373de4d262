import { comparableText } from '../comparable.ts';
import { numbersIn } from '../numbers/numbers.ts';
import { DAYS_FROM_TODAY, MONTHS, WEEKDAYS, type Named } from './calendar-words.ts';
import { hasDayForm } from './moment-form.ts';

const DAY_MS = 86_400_000;
/** Without a year, a day is this near: nobody on the telephone means another. */
const NEAR_DAYS = 400;
/** Without a month, it is in this month or the next; a day of the week is in these two weeks or was in the last. */
const SOON_DAYS = 45;
const WEEKDAY_AHEAD = 14;
const WEEKDAY_BACK = 7;
const COUNTED = /(?:^| )(?:in|within|after|בעוד|תוך|بعد|خلال|через|en|dentro de) /u;

/**
 * Whether words say a day: as a date in any order, with the name of its month, as a day of the week, or from today on. `date` and
 * `today` are `YYYY-MM-DD`, `today` where the business is. Words that leave the day open bear out every day that fits them.
 */
export function isDateSaid(date: string, words: string, today: string): boolean {
  const ahead = Math.round((Date.parse(date) - Date.parse(today)) / DAY_MS);
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const weekday = new Date(Date.parse(date)).getUTCDay();
  const text = ` ${comparableText(words).replaceAll('.', ' ')} `;
  const numbers = new Set(numbersIn(words.replaceAll(/(?<=\d)[./](?=\d)/gu, ' ')).flatMap(({ values }) => values));
  const isNear = numbers.has(year) || numbers.has(year % 100) || Math.abs(ahead) <= NEAR_DAYS;
  const months = namesIn(text, MONTHS);
  const counted = ordinals(words);
  const saysDay = [...numbers, ...counted].includes(day);
  if (saysDay && isNear && (months.has(month) || (numbers.has(month) && isNumericDate(words)))) return true;
  const weekdays = namesIn(text, WEEKDAYS);
  if (weekdays.has(weekday) && ahead >= -WEEKDAY_BACK && ahead <= WEEKDAY_AHEAD) return true;
  if (namesIn(text, DAYS_FROM_TODAY).has(ahead)) return true;
  if (COUNTED.test(text) && (numbers.has(ahead) || (ahead % 7 === 0 && numbers.has(ahead / 7)))) return ahead > 0;
  // Alone, a number is a day only where it is said like one: nobody's three children are the third.
  const isAlone = months.size === 0 && weekdays.size === 0 && !isNumericDate(words);
  return isAlone && saysDay && (counted.includes(day) || hasDayForm(words)) && Math.abs(ahead) <= SOON_DAYS;
}

/** Names that stand in a text as words, prefixes allowed; a name inside a longer one that is there too does not count. */
function namesIn(text: string, names: Named): ReadonlySet<number> {
  const found = new Set<number>();
  let rest = text;
  for (const [phrase, value] of names) {
    const place = new RegExp(`(?<=[ ,;:!?()"][בלמהושכوفبلك]{0,2}(?:ال)?)${escaped(phrase)}(?=[^\\p{L}\\p{M}])`, 'u');
    if (!place.test(rest)) continue;
    found.add(value);
    rest = rest.replaceAll(new RegExp(place, 'gu'), '#');
  }
  return found;
}

function escaped(phrase: string): string {
  return phrase.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}

/** `9/12`, `9.12.2025` and `2025-12-09`. */
function isNumericDate(words: string): boolean {
  return /\p{Nd}{1,4}[./-]\p{Nd}{1,2}(?:[./-]\p{Nd}{2,4})?/u.test(words);
}

/** In English, days of a month are counted: `9th`, `third`, `twenty-first`. */
function ordinals(words: string): number[] {
  const inDigits = [...words.matchAll(/(\d{1,2})(?:st|nd|rd|th)\b/giu)].map(([, digits]) => Number(digits));
  const inWords = [...comparableText(words).matchAll(/(?<![a-z])(?:(twenty|thirty) )?([a-z]+)(?![a-z])/gu)].flatMap(
    ([, ten, word = '']) => {
      const unit = ORDINALS.indexOf(word) + 1;
      if (unit === 0) return [];
      return [unit + (ten === 'twenty' ? 20 : ten === 'thirty' ? 30 : 0)];
    },
  );
  return [...inDigits, ...inWords];
}

const ORDINALS = (
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth ' +
  'seventeenth eighteenth nineteenth twentieth'
).split(' ');
