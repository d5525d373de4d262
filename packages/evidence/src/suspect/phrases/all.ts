import { ARABIC } from './arabic.ts';
import { ENGLISH } from './english.ts';
import { HEBREW } from './hebrew.ts';
import { RUSSIAN } from './russian.ts';
import { SPANISH } from './spanish.ts';

/**
 * What people say to a machine that will read the call, and not to whoever answers it. One list a language, in the notation of
 * `notation.ts`. Each phrase alone makes a turn suspect, so none may be something that an honest caller says: "forget what I said, it is
 * Haifa", "in my last call" and "send me the link" are not here. Who adds a phrase adds lines to the corpus, and those and the golden
 * dialogues say when it is too broad.
 */
export const PHRASES: readonly string[] = [...ENGLISH, ...HEBREW, ...ARABIC, ...RUSSIAN, ...SPANISH];
