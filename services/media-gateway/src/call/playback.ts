/**
 * What the agent said into the line and how much of it the caller has heard. Pure.
 *
 * Twilio buffers what we send and plays it in order. After every piece we send a mark; its echo says that everything before it
 * was played. After a `clear` Twilio echoes all waiting marks at once although nothing was heard, so a mark's name carries
 * the generation in which it was sent, and echoes of earlier generations are ignored.
 */
export type Playback = {
  readonly generation: number;
  /** Items with audio in Twilio's buffer or still to come, in the order of playing. */
  readonly items: readonly PlayedItem[];
  /** Items that the caller cut: audio of them that comes late is dropped. The latest {@link MAX_CUT}. */
  readonly cut: readonly string[];
};

/** Times in milliseconds of audio. `isWhole` once the agent's session has sent all of it. */
type PlayedItem = {
  readonly itemId: string;
  readonly sentMs: number;
  readonly playedMs: number;
  readonly isWhole: boolean;
};

export type Cut = { readonly itemId: string; readonly heardMs: number };

const MAX_CUT = 64;
/** An echo travels and pieces are large: this much more than the last echo says has been heard. */
const ECHO_DELAY_MS = 50;

export const emptyPlayback: Playback = { generation: 1, items: [], cut: [] };

/** Audio of an item goes out. `mark` is the name of the mark to send behind it; `null` when the item is cut: send nothing. */
export function sendAudio(playback: Playback, itemId: string, ms: number): { playback: Playback; mark: string | null } {
  if (playback.cut.includes(itemId)) return { playback, mark: null };
  const known = playback.items.find((item) => item.itemId === itemId);
  const item = { itemId, playedMs: 0, isWhole: false, ...known, sentMs: (known?.sentMs ?? 0) + ms };
  const items =
    known === undefined ? [...playback.items, item] : playback.items.map((other) => (other === known ? item : other));
  return { playback: { ...playback, items }, mark: `${playback.generation}:${item.sentMs}:${itemId}` };
}

/** The agent's session has sent all audio of an item. */
export function audioDone(playback: Playback, itemId: string): Playback {
  const items = playback.items.map((item) => (item.itemId === itemId ? { ...item, isWhole: true } : item));
  return { ...playback, items: items.filter(isUnheard) };
}

/** An echo came back: everything up to its mark was played. Foreign names and earlier generations change nothing. */
export function markEchoed(playback: Playback, name: string): Playback {
  const [, generation, ms, itemId] = /^(\d{1,9}):(\d{1,9}):(.+)$/.exec(name) ?? [];
  const index = playback.items.findIndex((item) => item.itemId === itemId);
  if (Number(generation) !== playback.generation || index < 0) return playback;
  const items = playback.items.map((item, at) => {
    if (at > index) return item;
    const playedMs = at < index ? item.sentMs : Math.min(item.sentMs, Math.max(item.playedMs, Number(ms)));
    return { ...item, playedMs, isWhole: item.isWhole || at < index };
  });
  return { ...playback, items: items.filter(isUnheard) };
}

/**
 * The caller speaks, or is gone: everything unheard is cut. `cuts` says for each item how much was heard, never more than was
 * sent (a longer truncation is an error of the session). Empty when there is nothing left to interrupt.
 */
export function cutShort(playback: Playback): { playback: Playback; cuts: readonly Cut[] } {
  const cuts = playback.items.flatMap((item, index) => {
    const heardMs = index === 0 ? Math.min(item.sentMs, item.playedMs + ECHO_DELAY_MS) : 0;
    return item.isWhole && heardMs === item.sentMs ? [] : [{ itemId: item.itemId, heardMs }];
  });
  if (cuts.length === 0) return { playback, cuts };
  const cut = [...playback.cut, ...cuts.map((each) => each.itemId)].slice(-MAX_CUT);
  return { playback: { generation: playback.generation + 1, items: [], cut }, cuts };
}

/** The agent's session is gone: what Twilio has buffered still plays, more of it will not come. */
export function noMoreAudio(playback: Playback): Playback {
  return { ...playback, items: playback.items.map((item) => ({ ...item, isWhole: true })).filter(isUnheard) };
}

/** Milliseconds that Twilio has still to play. */
export function unplayedMs(playback: Playback): number {
  return playback.items.reduce((sum, item) => sum + item.sentMs - item.playedMs, 0);
}

function isUnheard(item: PlayedItem): boolean {
  return !item.isWhole || item.playedMs < item.sentMs;
}
