import { comparableText } from '../comparable.ts';

/** What a word says in a number: so many, or times so many. */
export type NumberWord = { readonly value: number; readonly kind: 'unit' | 'scale' | 'part' };

/** One line a value: every form of its words in English, Hebrew, Arabic, Russian and Spanish. */
const UNITS: Readonly<Record<number, string>> = {
  0: 'zero oh nought אפס صفر ноль нуль cero',
  1: 'one single الواحدة الأولى אחד אחת واحد واحدة один одна одно одного одной одну uno una un',
  2: 'two الثانية couple pair both twice second שניים שתיים שני שתי פעמיים יומיים שבועיים חודשיים שנתיים שעתיים اثنان اثنين اثنتان اثنتين مرتين يومين أسبوعين شهرين سنتين ساعتين غرفتين غرفتان شقتين طابقين два две двух двум оба обе пара dos ambos ambas par',
  3: 'three third الثالثة שלושה שלוש שלושת ثلاثة ثلاث три трех трёх трое tres tercero',
  4: 'four fourth الرابعة ארבעה ארבע ארבעת أربعة أربع четыре четырех четырёх cuatro cuarto',
  5: 'five fifth الخامسة חמישה חמש חמשת خمسة خمس пять пяти cinco quinto',
  6: 'six sixth السادسة שישה שש ששת ستة ست шесть шести seis',
  7: 'seven seventh السابعة שבעה שבע שבעת سبعة سبع семь семи siete',
  8: 'eight eighth الثامنة שמונה שמונת ثمانية ثماني ثمان восемь восьми ocho',
  9: 'nine ninth التاسعة תשעה תשע תשעת تسعة تسع девять девяти nueve',
  10: 'ten tenth العاشرة עשרה עשר עשרת عشرة عشر десять десяти diez',
  11: 'eleven eleventh одиннадцать одиннадцати once',
  12: 'twelve twelfth dozen двенадцать двенадцати дюжина doce docena',
  13: 'thirteen тринадцать тринадцати trece',
  14: 'fourteen четырнадцать четырнадцати catorce',
  15: 'fifteen пятнадцать пятнадцати quince',
  16: 'sixteen шестнадцать шестнадцати dieciséis dieciseis',
  17: 'seventeen семнадцать семнадцати diecisiete',
  18: 'eighteen восемнадцать восемнадцати dieciocho',
  19: 'nineteen девятнадцать девятнадцати diecinueve',
  20: 'twenty twentieth עשרים عشرون عشرين двадцать двадцати veinte',
  21: 'veintiuno veintiún veintiuna',
  22: 'veintidós veintidos',
  23: 'veintitrés veintitres',
  24: 'veinticuatro',
  25: 'veinticinco',
  26: 'veintiséis veintiseis',
  27: 'veintisiete',
  28: 'veintiocho',
  29: 'veintinueve',
  30: 'thirty thirtieth שלושים ثلاثون ثلاثين тридцать тридцати treinta',
  40: 'forty ארבעים أربعون أربعين сорок сорока cuarenta',
  50: 'fifty חמישים خمسون خمسين пятьдесят пятидесяти cincuenta',
  60: 'sixty שישים ستون ستين шестьдесят шестидесяти sesenta',
  70: 'seventy שבעים سبعون سبعين семьдесят семидесяти setenta',
  80: 'eighty שמונים ثمانون ثمانين восемьдесят восьмидесяти ochenta',
  90: 'ninety תשעים تسعون تسعين девяносто noventa',
  100: 'cien ciento',
  200: 'מאתיים مئتان مئتين مائتان مائتين двести двухсот doscientos doscientas',
  300: 'ثلاثمئة ثلاثمائة триста трехсот трёхсот trescientos trescientas',
  400: 'أربعمئة أربعمائة четыреста cuatrocientos cuatrocientas',
  500: 'خمسمئة خمسمائة пятьсот пятисот quinientos quinientas',
  600: 'ستمئة ستمائة шестьсот шестисот seiscientos seiscientas',
  700: 'سبعمئة سبعمائة семьсот семисот setecientos setecientas',
  800: 'ثمانمئة ثمانمائة восемьсот восьмисот ochocientos ochocientas',
  900: 'تسعمئة تسعمائة девятьсот девятисот novecientos novecientas',
  2000: 'אלפיים ألفان ألفين',
};
const SCALES: Readonly<Record<number, string>> = {
  100: 'hundred hundreds מאה מאות مئة مائة مية сто сотня сотни сотен',
  1000: 'thousand thousands grand k אלף אלפים אלפי ألف آلاف الف тысяча тысячи тысяч тысячу тыс mil',
  1000000: 'million millions מיליון מיליוני مليون ملايين миллион миллиона миллионов millón millones',
};
const PARTS: Readonly<Record<number, string>> = {
  0.5: 'half חצי نصف نص половина половиной половину medio media',
  0.25: 'quarter רבע ربع четверть четвертью',
};

const WORDS = new Map<string, NumberWord>([
  ...entries(UNITS, 'unit'),
  ...entries(SCALES, 'scale'),
  ...entries(PARTS, 'part'),
]);
/** What stands between two parts of one number. */
const JOINTS = new Set(['and', 'a', 'و', 'и', 'с', 'y', 'e'].map(comparableText));
/** Ten, as it makes thirteen to nineteen of the word before it. */
const TEENS = new Set(['עשרה', 'עשר', 'عشر', 'عشرة'].map(comparableText));

/** The number that a word says, with or without an "and" that is written onto it. Forms as `wordsOf` gives them. */
export function numberWord(form: string): (NumberWord & { readonly isJoined: boolean }) | undefined {
  const plain = WORDS.get(form);
  if (plain !== undefined) return { ...plain, isJoined: false };
  if (!/^[ובלמהשכو]./u.test(form)) return undefined;
  const rest = WORDS.get(form.slice(1));
  return rest === undefined ? undefined : { ...rest, isJoined: /^[וو]/u.test(form) };
}

/** Whether a word only joins two parts of a number. */
export function isJoint(form: string): boolean {
  return JOINTS.has(form);
}

/** Whether a word makes a teen of the unit before it. */
export function isTeen(form: string): boolean {
  return TEENS.has(form);
}

function entries(table: Readonly<Record<number, string>>, kind: NumberWord['kind']): [string, NumberWord][] {
  return Object.entries(table).flatMap(([value, words]) =>
    words.split(' ').map((word): [string, NumberWord] => [comparableText(word), { value: Number(value), kind }]),
  );
}
