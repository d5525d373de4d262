import { comparableText } from '../comparable.ts';
import { numbersIn } from '../numbers/numbers.ts';
import { hasHourForm } from './moment-form.ts';

const HALF = /(?:^| )ו?و?(?:half|thirty|חצי|نصف|النصف|نص|половин[аоуы]|пол|media) /u;
/** Without `thirty`, which may be thirty of anything. */
const HALF_PAST = /(?:^| )ו?و?(?:half|חצי|نصف|النصف|نص|половин[аоуы]|пол|media) /u;
const QUARTER = /(?:^| )ו?و?(?:quarter|רבע|ربع|الربع|четверть|cuarto) /u;
const BEFORE = /(?:^| )(?:to|רבע ל|إلا|الا|без|menos) /u;
const AFTERNOON =
  /(?:^| )(?:p ?m|pm|afternoon|evening|tonight|night|אחר הצהריימ|אחה"צ|בצהריימ|צהריימ|בערב|ערב|הערב|בלילה|مساء|المساء|ظهرا|الظهر|ليلا|عصرا|العصر|вечера|дня|ночи|tarde|noche) /u;
const MORNING = /(?:^| )(?:a ?m|am|morning|בבוקר|בקר|הבוקר|صباحا|الصباح|утра|manana|madrugada) /u;
const NOON = /(?:^| )(?:noon|midday|mediodia|полдень|полудень|בצהריימ|צהריימ|الظهر|ظهرا) /u;
const MIDNIGHT = /(?:^| )(?:midnight|חצות|منتصف الليل|полночь|medianoche) /u;

/** Whether words say a time of day, `HH:MM` in 24 hours. Words that leave morning or afternoon open bear out both. */
export function isTimeSaid(time: string, words: string): boolean {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const plain = comparableText(words.replaceAll(/\b([ap])\.\s?m\./giu, '$1m')).replaceAll(/\p{M}/gu, '');
  const text = `${plain.replaceAll(/[.,;!?]/gu, ' ')} `;
  if (minute === 0 && ((hour === 12 && NOON.test(text)) || (hour === 0 && MIDNIGHT.test(text)))) return true;
  return saidHours(words, text).some(([said, minutes]) => minutes === minute && isSameHour(said, hour, text));
}

type Said = readonly [hour: number, minute: number];

function saidHours(words: string, text: string): Said[] {
  const clock = [...comparableText(words).matchAll(/(?<!\d)(\d{1,2})[:.](\d{2})(?!\d)/gu)];
  if (clock.length > 0) return clock.map((match): Said => [Number(match[1]), Number(match[2])]);
  const numbers = numbersIn(words).flatMap(({ values }) => values);
  // Alone, a number is an hour only where it is said like one: three rooms are not three o'clock.
  const isHour = [MORNING, AFTERNOON, QUARTER, HALF_PAST].some((form) => form.test(text)) || hasHourForm(words);
  if (!isHour && !numbers.some((value) => value % 1 === 0.5 || value % 1 === 0.25)) return [];
  const hours = [...new Set(numbers.map(Math.floor))].filter((value) => value >= 0 && value <= 24);
  return hours.flatMap((hour): Said[] => {
    const after = (minute: number): Said => [hour, minute];
    const before = (minute: number): Said => [(hour + 23) % 24, minute];
    if (QUARTER.test(text) || numbers.includes(0.25))
      return BEFORE.test(text) || /רבע ל/u.test(text) ? [before(45)] : [after(15)];
    if (HALF.test(text) || numbers.some((value) => value % 1 === 0.5)) return [after(30)];
    return [after(0), ...numbers.filter((value) => value > 0 && value < 60 && value !== hour).map(after)];
  });
}

function isSameHour(said: number, hour: number, text: string): boolean {
  if (said === hour || (said === 24 && hour === 0))
    return said > 12 || said === 0 || hour >= 12 || !isAfternoonOnly(text);
  if (said > 12) return false;
  return (said % 12) + 12 === hour || (said === 12 && hour === 0) ? !isMorningOnly(text) : false;
}

function isAfternoonOnly(text: string): boolean {
  return AFTERNOON.test(text) && !MORNING.test(text);
}

function isMorningOnly(text: string): boolean {
  return MORNING.test(text) && !AFTERNOON.test(text);
}
