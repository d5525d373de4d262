import type { JsMsg } from 'nats';

/**
 * Tells the broker every third of `ack_wait` that a message is still being worked, so that it is not given to somebody else.
 * Each beat is a quorum write on a replicated stream, so the beats of many slots are spread by up to 10 %. Returns the end.
 */
export function keepAlive(message: JsMsg, ackWaitMs: number): () => void {
  const everyMs = (ackWaitMs / 3) * (0.9 + Math.random() / 10);
  const timer = setInterval(() => message.working(), everyMs);
  return () => clearInterval(timer);
}
