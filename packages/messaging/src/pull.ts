import { NatsError, type JsMsg } from 'nats';
import type { Connection } from './connection.ts';
import type { ConsumerSpec } from './topology.ts';

/** What one pull brought. `unanswered`: the server said nothing, not even that there is no message. */
export type Pulled =
  | { readonly kind: 'message'; readonly message: JsMsg }
  | { readonly kind: 'none' }
  | { readonly kind: 'unanswered' };

/**
 * Milliseconds that one pull waits at the server. The client waits two seconds longer for its answer (`REQUEST_TIMEOUT_MS`): a process
 * that was held up for less finds its message. Longer, and what was sent to it comes again only after `ack_wait`.
 */
export const PULL_EXPIRES_MS = 3_000;

/**
 * Asks once for one message: one question, one answer. With the client's own `consumer.next` calls came a minute late (`ack_wait`) after
 * 24 s without a broker, and no longer with this. Its code asks again under the same address when the connection is back, so that two
 * messages can come where one is taken; that this was the cause was read, not seen alone.
 */
export async function pullOne({ js }: Connection, { stream, name }: ConsumerSpec, expiresMs: number): Promise<Pulled> {
  try {
    return { kind: 'message', message: await js.pull(stream, name, expiresMs) };
  } catch (error) {
    if (!(error instanceof NatsError)) throw error;
    // 408: the time of the pull is over; 404: nothing is there.
    if (error.code === '408' || error.code === '404') return { kind: 'none' };
    if (error.code === 'TIMEOUT') return { kind: 'unanswered' };
    throw error;
  }
}
