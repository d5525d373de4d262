import { comparableText } from '../comparable.ts';

/** Languages whose names of months and days are known, from the Unicode CLDR that Node carries. */
const LANGUAGES = ['en', 'he', 'ar', 'ar-LB', 'ru', 'es', 'fr', 'de', 'pt', 'it', 'uk', 'tr', 'pl', 'nl'];

/** Days from today that CLDR has no word for, or another one than people use. */
const MORE_DAYS: Readonly<Record<string, number>> = {
  tonight: 0,
  'this evening': 0,
  'this morning': 0,
  'this afternoon': 0,
  'day after tomorrow': 2,
  הערב: 0,
  הלילה: 0,
  מחרתיים: 2,
  الليلة: 0,
  اليوم: 0,
  غدا: 1,
  بكرة: 1,
  'بعد غد': 2,
  'بعد بكرة': 2,
  сегодня: 0,
  'сегодня вечером': 0,
  'esta noche': 0,
  'pasado mañana': 2,
};

/** Names as phrases in the form for comparison, the longest first, each with what it stands for. */
export type Named = readonly (readonly [phrase: string, value: number])[];

/** Months from 1, days of the week from Sunday as 0, and days from today. */
export const MONTHS = named(LANGUAGES.flatMap(monthsOf));
export const WEEKDAYS = named([...LANGUAGES.flatMap(weekdaysOf), ...hebrewWeekdays()]);
export const DAYS_FROM_TODAY = named([...LANGUAGES.flatMap(daysFromToday), ...Object.entries(MORE_DAYS)]);

function monthsOf(language: string): [string, number][] {
  // Short names of more languages would be words of others: `set`, `out`, `may`.
  const styles = LANGUAGES.indexOf(language) < 5 ? (['long', 'short'] as const) : (['long'] as const);
  return styles.flatMap((month) => {
    const alone = new Intl.DateTimeFormat(language, { month, calendar: 'gregory', timeZone: 'UTC' });
    const inDate = new Intl.DateTimeFormat(language, { month, day: 'numeric', calendar: 'gregory', timeZone: 'UTC' });
    return Array.from({ length: 12 }, (_, index) => new Date(Date.UTC(2024, index, 15))).flatMap((date, index) =>
      [alone, inDate].map((format): [string, number] => [partOf(format, date, 'month'), index + 1]),
    );
  });
}

function weekdaysOf(language: string): [string, number][] {
  const format = new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' });
  // The 7th of January 2024 was a Sunday.
  return Array.from({ length: 7 }, (_, day) => [partOf(format, new Date(Date.UTC(2024, 0, 7 + day)), 'weekday'), day]);
}

/** Israelis number their days by letters too: יום ג׳. */
function hebrewWeekdays(): [string, number][] {
  return ['א', 'ב', 'ג', 'ד', 'ה', 'ו'].map((letter, day) => [`יום ${letter}'`, day]);
}

function daysFromToday(language: string): [string, number][] {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  return [-2, -1, 0, 1, 2]
    .map((days): [string, number] => [format.format(days, 'day'), days])
    .filter(([word]) => !/\p{N}/u.test(word));
}

function partOf(format: Intl.DateTimeFormat, date: Date, type: string): string {
  return format.formatToParts(date).find((part) => part.type === type)?.value ?? '';
}

function named(pairs: readonly (readonly [string, number])[]): Named {
  const all = new Map(pairs.map(([phrase, value]) => [comparableText(phrase).replaceAll('.', ''), value]));
  return [...all]
    .filter(([phrase]) => phrase.length > 1 && /\p{L}/u.test(phrase))
    .toSorted(([one], [other]) => other.length - one.length);
}
