import type { Segment } from '@pipeline/contracts';

/** Pauses of one speaker up to this many milliseconds do not start a new line. */
const SAME_TURN_PAUSE_MS = 2_000;

/**
 * What was heard on all channels as one conversation: by start, empty texts dropped, neighbours of one speaker joined when the
 * pause between them is short. Overlapping speech stays in order of its start.
 */
export function mergeSegments(heard: readonly Segment[]): Segment[] {
  const merged: Segment[] = [];
  for (const segment of heard.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)) {
    const text = cleanText(segment.text);
    if (text === '') continue;
    const last = merged.at(-1);
    if (last?.speaker === segment.speaker && segment.startMs - last.endMs <= SAME_TURN_PAUSE_MS) {
      merged[merged.length - 1] = { ...last, text: `${last.text} ${text}`, endMs: Math.max(last.endMs, segment.endMs) };
    } else merged.push({ ...segment, text });
  }
  return merged;
}

/** One line in Unicode's composed form without control characters, so that no text can pretend to be another speaker's line. */
export function cleanText(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}
