/** Frames after which the other side is asked whether it has read them. */
const ASK_AFTER = 25;
/** Frames that may be under way unread: a second of audio. */
const MAX_UNREAD = 50;
/** Whoever does not answer for so long is not waited for any more. Wall time. */
const GIVE_UP_MS = 10_000;

/**
 * Keeps a fast call from running away from a gateway that is busy: at 20 times real time a machine under load would be seconds of
 * audio behind, and the caller would hear answers far too late. Asked by ping, because a pong comes after all frames before it.
 */
export type Window = {
  /** Counts a frame that was sent; true when a ping has to follow it. */
  sent(): boolean;
  /** A pong came. */
  answered(): void;
  /** Whether the next frame may be sent now. */
  isOpen(): boolean;
};

/** A window; in real time it is always open. `now` is monotonic milliseconds. */
export function createWindow(speed: number, now: () => number): Window {
  const asked: number[] = [];
  let sent = 0;
  let read = 0;
  let shutAt: number | null = null;
  if (speed <= 1) return { sent: () => false, answered: () => {}, isOpen: () => true };
  return {
    sent: () => {
      sent += 1;
      if (sent % ASK_AFTER !== 0) return false;
      asked.push(sent);
      return true;
    },
    answered: () => {
      read = asked.shift() ?? read;
      shutAt = null;
    },
    isOpen: () => {
      if (sent - read < MAX_UNREAD) return true;
      shutAt ??= now();
      return now() - shutAt >= GIVE_UP_MS;
    },
  };
}
