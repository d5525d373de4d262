import type { Segment } from '@pipeline/contracts';

/** Pauses of one speaker up to this many milliseconds do not start a new line. */
const SAME_TURN_PAUSE_MS = 2_000;
/** ... as long as the line stays below this: on one channel nobody's turn ends, and a line is what is quoted, left out or stored. */
const LONGEST_LINE_CHARS = 2_000;

/**
 * What was heard on all channels as one conversation: by start, empty texts dropped, neighbours of one speaker joined when the
 * pause between them is short and both are equally doubtful, up to a length that can be read. Overlapping speech stays in order of its start.
 */
export function mergeSegments(heard: readonly Segment[]): Segment[] {
  const merged: Segment[] = [];
  for (const segment of heard.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)) {
    const text = cleanText(segment.text);
    if (text === '') continue;
    const last = merged.at(-1);
    if (last !== undefined && isSameTurn(last, segment) && last.text.length + text.length < LONGEST_LINE_CHARS) {
      merged[merged.length - 1] = { ...last, text: `${last.text} ${text}`, endMs: Math.max(last.endMs, segment.endMs) };
    } else merged.push({ ...segment, text });
  }
  return merged;
}

function isSameTurn(last: Segment, next: Segment): boolean {
  const isSoon = next.startMs - last.endMs <= SAME_TURN_PAUSE_MS;
  const areFlagsEqual = (last.flags ?? []).join() === (next.flags ?? []).join();
  return last.speaker === next.speaker && isSoon && areFlagsEqual;
}

/** One line in Unicode's composed form without control characters, so that no text can pretend to be another speaker's line. */
export function cleanText(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}
