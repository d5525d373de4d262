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

/** What may stand between an address and what follows at once: the end of a sentence. */
const AT_ONCE = '(?:¶ )?';
/** An order of some twenty words is looked for in front of a typist. */
const LETTERS_BEFORE = 200;
const SOON = '(?:[^ ¿]+ ){0,8}?';

/**
 * A check of a language's orders, over a stream in which sentences begin. Addresses are looked for first, one by one, and what may follow
 * is compiled once one is found: patterns of this size take their time, and hardly any call has an address.
 */
export function createOrderCheck(language: SpokenOrders): (stream: string) => boolean {
  const parts = { FIELD: language.fields, MACHINE: longestFirst(language.machines), VERB: language.verbs };
  const addresses = (phrases: readonly string[]) =>
    phrases.map((phrase) => new RegExp(`(?<= )${patternOf(phrase, parts)}`, 'gu'));
  const anyOf = (between: string, ...lists: (readonly string[])[]) => {
    const phrases = lists.flat().map((phrase) => patternOf(phrase, parts));
    return new RegExp(`(?<= )${between}(?:${phrases.join('|')})`, 'uy');
  };
  const { keepers, typists, told, called, orders, corrected, stated, alone } = language;
  const kept = addresses(keepers);
  const typed = addresses(typists);
  const atOnce = [...typed, ...addresses(told)];
  const byName = addresses(called);
  const byItself = addresses(alone);
  const soonStated = anyOf(SOON, orders, corrected, stated);
  const statedAtOnce = anyOf(AT_ONCE, orders, corrected, stated);
  const ordered = anyOf(AT_ONCE, orders, corrected);
  const before = new RegExp(`(?<= )(?:${orders.map((phrase) => patternOf(phrase, parts)).join('|')})${SOON}$`, 'u');
  return (stream) =>
    isFollowed(stream, kept, soonStated) ||
    isFollowed(stream, atOnce, statedAtOnce) ||
    isFollowed(stream, byName, ordered) ||
    [...kept, ...typed].some((address) =>
      [...stream.matchAll(address)].some(({ index }) =>
        before.test(stream.slice(Math.max(0, index - LETTERS_BEFORE), index)),
      ),
    ) ||
    byItself.some((pattern) => stream.search(pattern) !== -1);
}

/** Whether one of the addresses stands in the stream, and what must follow stands behind it. */
function isFollowed(stream: string, addresses: readonly RegExp[], follows: RegExp): boolean {
  return addresses.some((address) =>
    [...stream.matchAll(address)].some(({ index, 0: { length } }) => {
      follows.lastIndex = index + length;
      return follows.test(stream);
    }),
  );
}

/** `computer program` is not a `computer` with a word behind it. */
function longestFirst(alternatives: string): string {
  return alternatives
    .split('|')
    .toSorted((one, other) => other.length - one.length)
    .join('|');
}
