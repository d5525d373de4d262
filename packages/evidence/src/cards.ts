/** Thirteen to nineteen digits, in groups or not: as many as a payment card has. */
const CARD = /(?<![\p{Nd}+])\p{Nd}(?:[ \u00a0.-]?\p{Nd}){12,18}(?!\p{Nd})/gu;
const SECURITY_CODE =
  /((?:cvv2?|cvc2?|csc|security (?:code|number)|קוד (?:האבטחה|אבטחה)|שלוש (?:הספרות|ספרות)[^\d]{0,12}|رمز (?:الأمان|الحماية|التحقق)|код безопасности|código de seguridad)[^\p{Nd}]{0,16})\p{Nd}{3,4}(?!\p{Nd})/giu;

/**
 * A text with the numbers of payment cards masked but for their last four digits, and security codes masked whole. A card's number is one
 * that passes its own check digit, so telephone numbers and order numbers stay, but for one in ten of that length.
 */
export function maskCards(text: string): string {
  return text
    .replace(CARD, (number) => {
      const digits = number.replaceAll(/\P{Nd}/gu, '').normalize('NFKC');
      return isCardNumber(digits) ? `•••• ${digits.slice(-4)}` : number;
    })
    .replace(SECURITY_CODE, '$1•••');
}

/** The check of ISO/IEC 7812. */
function isCardNumber(digits: string): boolean {
  const sum = digits
    .split('')
    .toReversed()
    .reduce((total, digit, at) => {
      const value = Number(digit) * (at % 2 === 1 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}
