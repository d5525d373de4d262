import { digitRuns } from '@pipeline/evidence';
import { parsePhoneNumberFromString } from 'libphonenumber-js';

/** What may stand before a number's national part: nothing, a trunk prefix, or an exit code and the country. */
const EXIT_CODES = ['', '00', '011', '810'];
const TRUNK_PREFIXES = ['', '0', '1', '8'];

/** Whether words say a telephone number: its digits, in whatever groups, with or without its country. */
export function isPhoneSaid(phone: string, words: string): boolean {
  const number = parsePhoneNumberFromString(phone);
  if (number === undefined) return false;
  const national = number.nationalNumber;
  const wanted = new Set([
    ...TRUNK_PREFIXES.map((prefix) => prefix + national),
    ...EXIT_CODES.flatMap((exit) => ['', '0'].map((trunk) => exit + number.countryCallingCode + trunk + national)),
  ]);
  return digitRuns(words).some((run) => wanted.has(run));
}
