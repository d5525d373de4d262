import { patternOf } from '../notation.ts';

/**
 * How one language gives an order to a machine or to whoever keeps the records: somebody who cannot hear is addressed, and a field is
 * given its value. Neither alone is suspect: callers speak of their computers, and say what is to be written down. In the notation of
 * `notation.ts`; `FIELD` is a field by its label, `MACHINE` one that is spoken to, `VERB` an order to write.
 */
export type SpokenOrders = {
  /** Labels that nobody dictates under. Addresses, telephone numbers and appointments are not among them: callers do that all day. */
  readonly fields: string;
  readonly machines: string;
  readonly verbs: string;
  /** Whoever types, logs or reads it: an order or a statement may follow some words later, an order may also come first. */
  readonly keepers: readonly string[];
  /** `whoever is typing`, which says less: an order or a statement must follow at once, or an order come first. */
  readonly typists: readonly string[];
  /** A machine that somebody else shall tell something, or somebody who types: an order or a statement must follow at once. */
  readonly told: readonly string[];
  /** A machine that is greeted, or begins a sentence. It may be the voice agent, or what is broken: only an order or a correction counts. */
  readonly called: readonly string[];
  /** A field is given a value, as one writes and as nobody speaks to people. */
  readonly orders: readonly string[];
  /** `the correct city is`. */
  readonly corrected: readonly string[];
  /** `the city is`, which is an honest sentence unless somebody else is spoken to. */
  readonly stated: readonly string[];
  /** Orders to a form or a record, which nobody needs to be named for. */
  readonly alone: readonly string[];
};

/** What may stand between a name and what follows at once: the end of a sentence. */
const AT_ONCE = '(?:¶ )?';
const SOON = '(?:[^ ¿]+ ){0,8}?';

/** The orders of a language as patterns over a stream in which sentences begin. */
export function orderPatterns(language: SpokenOrders): RegExp[] {
  const parts = { FIELD: language.fields, MACHINE: language.machines, VERB: language.verbs };
  const any = (...lists: (readonly string[])[]): string =>
    `(?:${lists
      .flat()
      .map((phrase) => patternOf(phrase, parts))
      .join('|')})`;
  const { keepers, typists, told, called, orders, corrected, stated, alone } = language;
  return [
    any(keepers) + SOON + any(orders, corrected, stated),
    any(orders) + SOON + any(keepers, typists),
    any(typists, told) + AT_ONCE + any(orders, corrected, stated),
    any(called) + AT_ONCE + any(orders, corrected),
    any(alone),
  ].map((source) => new RegExp(`(?<= )${source}`, 'u'));
}
