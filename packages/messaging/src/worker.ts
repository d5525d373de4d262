import type { JsMsg } from 'nats';
import { readEvent } from './event-message.ts';
import { workEvent } from './event-work.ts';
import { keepAlive } from './keep-alive.ts';
import { bury, giveBackUnworked, type WorkerParts } from './settling.ts';
import type { Work } from './stage-definition.ts';
import { report, type Settled } from './wide-line.ts';

/**
 * Works one message and settles it, in an order that never loses it:
 * W1 own result first: what is published already is only acknowledged;
 * W2 publish, see the acknowledgement of the next stream, then acknowledge;
 * W3 a dead letter is stored before its message is terminated;
 * W4 from the second delivery on the crash count is raised before the work and removed before every settle;
 * W5 a message whose worker has died twice is worked while this process works nothing else;
 * W6 what comes meanwhile is given back at once, and so is a message that has waited for its turn for `waitMs` or until a stop.
 * The returned function does not reject. `stopping` is aborted when nothing new is to be begun.
 */
export function createWorker(
  parts: WorkerParts,
  work: Work,
): (message: JsMsg, stopping: AbortSignal) => Promise<Settled> {
  return async (message, stopping) => {
    const startedAt = performance.now();
    const reading = readEvent(work.consumes, message);
    const endKeepAlive = keepAlive(message, parts.ackWaitMs);
    const abort = new AbortController();
    const onAborted = (): void => abort.abort(parts.aborted.reason);
    parts.aborted.addEventListener('abort', onAborted, { once: true });
    if (parts.aborted.aborted) onAborted();
    const place = parts.solitude.enter();
    try {
      const settled = await settle();
      const event = reading.kind === 'dead' ? null : reading.event;
      report(work, message, event, settled, performance.now() - startedAt);
      return settled;
    } finally {
      place?.leave();
      endKeepAlive();
      parts.aborted.removeEventListener('abort', onAborted);
    }

    async function settle(): Promise<Settled> {
      if (place === null) return giveBackUnworked(message, 0);
      const context = { parts, work, message, place, stopping, signal: abort.signal };
      return reading.kind === 'dead' ? bury(context, reading) : workEvent(context, reading);
    }
  };
}
