import { ARABIC } from './arabic.ts';
import { ENGLISH } from './english.ts';
import { HEBREW } from './hebrew.ts';
import { RUSSIAN } from './russian.ts';
import { SPANISH } from './spanish.ts';

/**
 * What people say to a machine that will read the call, and not to whoever answers it. One list a language, in a small notation: `*` is
 * any ending, `~` any few words, `(a|b)` one of several. Each phrase alone makes a turn suspect, so none may be something that an honest
 * caller says: "forget what I said, it is Haifa" and "send me a summary" are not here. Who adds a phrase adds a line to the corpus, and
 * the golden dialogues say when it is too broad.
 */
export const PHRASES: readonly string[] = [...ENGLISH, ...HEBREW, ...ARABIC, ...RUSSIAN, ...SPANISH];
