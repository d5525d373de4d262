import type { LiveTurn } from '@pipeline/contracts';

/**
 * What was said, as the agent's session reports it while the call lasts. Pure; reports may come late, twice or in any order.
 *
 * Transcriptions arrive when they are ready, not in the order of speech, and sometimes never. So every report is kept under
 * its item, and the order is made only when somebody reads: an item follows the one that the session named before it; where
 * that is unknown, the earlier start comes first.
 */
export type LiveTranscript = {
  /** In the order in which they were first heard of; each once. */
  readonly items: readonly Item[];
};

type Item = {
  readonly itemId: string;
  /** `null` for an item that is no speech (a tool call): it only keeps the chain together. */
  readonly speaker: 'caller' | 'agent' | null;
  /** Milliseconds from the first frame of the media stream. */
  readonly startMs: number;
  /** The item before this one; `null` when it is the first, `undefined` as long as nobody said. */
  readonly previousItemId: string | null | undefined;
  readonly text: string;
  /** Set when `text` is the final word and no piece may be added. */
  readonly isFinal: boolean;
  readonly heardMs: number | undefined;
};

/** The limits of the contract of `call.ended`: a call that is longer loses its tail, never its event. */
const MAX_TURNS = 10_000;
const MAX_CHARS = 20_000;

export const emptyTranscript: LiveTranscript = { items: [] };

/** The turns in order of speech, without those that have no text. */
export function turnsOf(transcript: LiveTranscript): LiveTurn[] {
  const turns: LiveTurn[] = [];
  for (const item of inOrder(transcript.items)) {
    if (item.speaker === null || item.text.trim() === '') continue;
    const cut = item.heardMs === undefined ? {} : { interrupted: true, heardMs: item.heardMs };
    turns.push({ speaker: item.speaker, text: item.text, startMs: item.startMs, ...cut });
  }
  return turns;
}

/** Whether the last word is the caller's, so that an answer is due. */
export function isAnswerDue(transcript: LiveTranscript): boolean {
  return turnsOf(transcript).at(-1)?.speaker === 'caller';
}

/** An item exists. What an earlier report said of it stays; `startMs` counts only for a new one. */
export function placeItem(
  transcript: LiveTranscript,
  report: { itemId: string; speaker: Item['speaker']; startMs: number; previousItemId?: string | null | undefined },
): LiveTranscript {
  const known = itemOf(transcript, report.itemId);
  const speaker = known?.speaker ?? report.speaker;
  const previousItemId = known?.previousItemId ?? report.previousItemId;
  // Every piece of audio says again whose it is: nothing new, nothing to copy.
  if (known !== undefined && known.speaker === speaker && known.previousItemId === previousItemId) return transcript;
  return withItem(transcript, { ...(known ?? newItem(report.itemId, report.startMs)), speaker, previousItemId });
}

/** Another piece of an item's text. */
export function addText(
  transcript: LiveTranscript,
  report: { itemId: string; speaker: 'caller' | 'agent'; startMs: number; text: string },
): LiveTranscript {
  const placed = placeItem(transcript, report);
  const item = itemOf(placed, report.itemId);
  if (item === undefined || item.isFinal) return placed;
  return withItem(placed, { ...item, text: (item.text + report.text).slice(0, MAX_CHARS) });
}

/** The whole text of an item. The first one stands. */
export function setText(
  transcript: LiveTranscript,
  report: { itemId: string; speaker: 'caller' | 'agent'; startMs: number; text: string },
): LiveTranscript {
  const placed = placeItem(transcript, report);
  const item = itemOf(placed, report.itemId);
  if (item === undefined || item.isFinal) return placed;
  return withItem(placed, { ...item, text: report.text.slice(0, MAX_CHARS), isFinal: true });
}

/** The caller cut the agent short, each item after `heardMs`. The text stays whole: nobody knows at which word it ended. */
export function interrupt(
  transcript: LiveTranscript,
  cuts: readonly { readonly itemId: string; readonly heardMs: number }[],
): LiveTranscript {
  return cuts.reduce((all, { itemId, heardMs }) => {
    const item = itemOf(all, itemId);
    return item === undefined || item.heardMs !== undefined ? all : withItem(all, { ...item, heardMs });
  }, transcript);
}

function newItem(itemId: string, startMs: number): Item {
  return {
    itemId,
    speaker: null,
    startMs: Math.max(0, Math.floor(startMs)),
    previousItemId: undefined,
    text: '',
    isFinal: false,
    heardMs: undefined,
  };
}

/** The item of that name, from the end: as a rule the latest is asked for. */
export function itemOf({ items }: LiveTranscript, itemId: string): Item | undefined {
  return items.findLast((item) => item.itemId === itemId);
}

/** The item in the place of the one that it replaces, or at the end. */
function withItem({ items }: LiveTranscript, item: Item): LiveTranscript {
  const index = items.findLastIndex((known) => known.itemId === item.itemId);
  if (index >= 0) return { items: items.with(index, item) };
  return { items: items.length >= MAX_TURNS ? items : [...items, item] };
}

/** Every chain from its first item on; chains by their start. A ring of items that name each other follows at the end. */
function inOrder(items: readonly Item[]): readonly Item[] {
  const known = new Set(items.map((item) => item.itemId));
  const after = Map.groupBy(items, (item) => item.previousItemId ?? '');
  const heads = items.filter((item) => typeof item.previousItemId !== 'string' || !known.has(item.previousItemId));
  const ordered = new Set<Item>();
  const open = heads.toSorted(byStart).toReversed();
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    ordered.add(item);
    open.push(
      ...(after.get(item.itemId) ?? [])
        .filter((next) => !ordered.has(next))
        .toSorted(byStart)
        .toReversed(),
    );
  }
  for (const item of items.toSorted(byStart)) ordered.add(item);
  return [...ordered];
}

function byStart(left: Item, right: Item): number {
  return left.startMs - right.startMs;
}
