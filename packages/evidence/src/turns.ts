import { comparableText } from './comparable.ts';
import { stretchesOf } from './monologue.ts';
import { isSuspect } from './suspect/suspect.ts';

/** A stretch of a text in UTF-16 code units, and whether its words may bear anything out. */
export type Passage = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isBarred: boolean;
  /** Set for what goes on in the line of the passage before it. */
  readonly isContinued?: true;
};

/** The part of a segment of a transcript that matters here. */
type FlaggedSegment = { readonly text: string; readonly flags?: readonly string[] | undefined };

/** The recognizer said our own keywords instead of what it heard: nobody said them. */
const INVENTED = new Set(['prompt_echo']);
/** What stands in a question for words that are left out of it. */
export const LEFT_OUT = '[…]';

/**
 * The lines of a transcript (`caller: ...`). A line is barred when it speaks to a machine instead of about the call, or when its
 * segment is one that the recognizer made up. Whose line it is does not matter: a line on hold or a recorded voice can say anything. Of a
 * line of minutes only those around such words are barred; the rest follows as passages that are continued.
 */
export function turnsOf(transcript: string, segments: readonly FlaggedSegment[] = []): Passage[] {
  const invented = new Set(
    segments
      .filter(({ flags = [] }) => flags.some((flag) => INVENTED.has(flag)))
      .map(({ text }) => comparableText(text)),
  );
  return pieces(
    transcript,
    transcript.split('\n').map((line) => `${line}\n`),
  ).flatMap((line) => {
    const words = line.text.replace(/^\w+: /u, '');
    if (invented.has(comparableText(words))) return [{ ...line, isBarred: true }];
    return passagesOf(line, line.text.length - words.length);
  });
}

/** The passages of one line, whose label of `label` letters belongs to the first of them. */
function passagesOf({ text, start }: Piece, label: number): Passage[] {
  return stretchesOf(text.slice(label)).map((stretch, at): Passage => {
    const from = at === 0 ? 0 : label + stretch.start;
    const part = text.slice(from, label + stretch.end).trimEnd();
    const passage = { text: part, start: start + from, end: start + from + part.length, isBarred: stretch.isBarred };
    return at === 0 ? passage : { ...passage, isContinued: true };
  });
}

/**
 * The sentences of a text. One that speaks to a machine is barred. Not by Unicode's rules, by which a sentence does not end before a
 * small letter: words that were put behind an honest sentence must not take it with them.
 */
export function sentencesOf(text: string): Passage[] {
  const parts = text.split(/(?<=[.!?؟…]["'”»)]*)(?=\s)|(?<=[。！？\n])/u);
  const sentences = pieces(text, whole(parts)).filter((piece) => piece.text !== '');
  return sentences.map((piece) => ({ ...piece, isBarred: isSuspect(piece.text) }));
}

/** A transcript as a model may read it: what is barred loses its words, and its line keeps its speaker. */
export function withoutBarred(turns: readonly Passage[]): string {
  return turns
    .map(({ text, isBarred, isContinued }, at) => {
      const label = isContinued ? '' : (/^\w+: /u.exec(text)?.[0] ?? '');
      return (at === 0 ? '' : isContinued ? ' ' : '\n') + (isBarred ? label + LEFT_OUT : text);
    })
    .join('');
}

/** Whether words of a text were left out. */
export function hasBarred(passages: readonly Passage[]): boolean {
  return passages.some(({ isBarred }) => isBarred);
}

const ABBREVIATION = /(?:^|[\s(.])(?:\p{L}|Dr|Mr|Mrs|Ms|Prof|St|Sr|Sra|Jr|No|Nr|vs|etc|гр|ул|им|г)\.\s*$/u;

/** `Dr.`, `St.` and `ע.` end no sentence. */
function whole(segments: readonly string[]): string[] {
  const joined: string[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last !== undefined && ABBREVIATION.test(last) && !last.includes('\n'))
      joined[joined.length - 1] = last + segment;
    else joined.push(segment);
  }
  return joined;
}

type Piece = Omit<Passage, 'isBarred' | 'isContinued'>;

function pieces(text: string, parts: readonly string[]): Piece[] {
  let start = 0;
  return parts.map((part) => {
    const from = start + part.length - part.trimStart().length;
    const end = Math.max(from, Math.min(text.length, start + part.trimEnd().length));
    start += part.length;
    return { text: text.slice(from, end), start: from, end };
  });
}
