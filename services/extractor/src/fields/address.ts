import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js';
import { parsePhoneNumberFromString as parseWithType } from 'libphonenumber-js/max';
import { z } from 'zod';

/** A country in ISO 3166-1, as the telephone numbers of a business tell it. */
export type Country = CountryCode;

const emailSchema = z.email().max(254);

/** The country of the first number that is one, for numbers that callers say without it. */
export function countryOf(numbers: readonly (string | null)[]): Country | undefined {
  for (const number of numbers) {
    const country = number === null ? undefined : parsePhoneNumberFromString(number)?.country;
    if (country !== undefined) return country;
  }
  return undefined;
}

/** Numbers that cost their caller extra are nobody's own. */
const PAID = new Set(['PREMIUM_RATE', 'SHARED_COST']);

/** A telephone number that can exist, in E.164. One that charges whoever calls it is none. */
export function readPhone(raw: unknown, country: Country | undefined): string | undefined {
  if (typeof raw !== 'string' || raw.length > 64) return undefined;
  const options = { extract: false, ...(country === undefined ? {} : { defaultCountry: country }) };
  const number = parsePhoneNumberFromString(raw, options);
  if (number?.isValid() !== true) return undefined;
  // Only the larger metadata know types, and they call some valid numbers invalid.
  return PAID.has(parseWithType(number.number)?.getType() ?? '') ? undefined : number.number;
}

/** An e-mail address, its domain in lower case. */
export function readEmail(raw: unknown): string | undefined {
  const parsed = emailSchema.safeParse(typeof raw === 'string' ? raw.trim() : raw);
  if (!parsed.success) return undefined;
  const at = parsed.data.lastIndexOf('@');
  return parsed.data.slice(0, at) + parsed.data.slice(at).toLowerCase();
}
