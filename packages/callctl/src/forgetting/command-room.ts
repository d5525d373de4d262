import type { ConsumerState, StreamFill } from '@pipeline/messaging';

/** How many more commands may be published for a retention; for none, what is in the way: extractor's `backlog`, or a `full` stream. */
export type CommandRoom =
  | { readonly kind: 'room'; readonly commands: number }
  | { readonly kind: 'backlog' }
  | { readonly kind: 'full' };

/** Commands of a retention that wait for extractor, at most: whoever wants to be forgotten waits behind them, for some seconds. */
const MOST_WAITING = 1_000;
/** The part of their stream that a retention may use. The rest is for people, and `provision --trim` frees what is worked. */
const SHARE = 0.5;
/** Bytes of one command in the stream, at most: ids of 64 characters each in its subject, its body and its headers. */
const COMMAND_BYTES = 1_024;

/** A retention asks for as many commands as there are calls to empty, and a person for one: so it is the one that waits. Pure. */
export function commandRoom({ pending, ackPending }: ConsumerState, { bytes, maxBytes }: StreamFill): CommandRoom {
  const waiting = MOST_WAITING - pending - ackPending;
  if (waiting < 1) return { kind: 'backlog' };
  const room = maxBytes <= 0 ? waiting : Math.floor((SHARE * maxBytes - bytes) / COMMAND_BYTES);
  return room < 1 ? { kind: 'full' } : { kind: 'room', commands: Math.min(waiting, room) };
}
