import type { JsMsg } from 'nats';
import { readEvent } from './event-message.ts';
import { workEvent } from './event-work.ts';
import { keepAlive } from './keep-alive.ts';
import { bury, type WorkerParts } from './settling.ts';
import type { Work } from './stage-definition.ts';
import { report, type Settled } from './wide-line.ts';

/**
 * Works one message and settles it, in an order that never loses it:
 * W1 own result first: what is published already is only acknowledged;
 * W2 publish, see the acknowledgement of the next stream, then acknowledge;
 * W3 a dead letter is stored before its message is terminated;
 * W4 from the second delivery on the crash count is raised before the work and removed before every settle.
 * The returned function does not reject.
 */
export function createWorker(parts: WorkerParts, work: Work): (message: JsMsg) => Promise<Settled> {
  return async (message) => {
    const startedAt = performance.now();
    const reading = readEvent(work.consumes, message);
    const endKeepAlive = keepAlive(message, parts.ackWaitMs);
    const abort = new AbortController();
    const onAborted = (): void => abort.abort(parts.aborted.reason);
    parts.aborted.addEventListener('abort', onAborted, { once: true });
    if (parts.aborted.aborted) onAborted();
    const context = { parts, work, message, signal: abort.signal };
    try {
      const settled = reading.kind === 'dead' ? await bury(context, reading) : await workEvent(context, reading);
      const event = reading.kind === 'dead' ? null : reading.event;
      report(work, message, event, settled, performance.now() - startedAt);
      return settled;
    } finally {
      endKeepAlive();
      parts.aborted.removeEventListener('abort', onAborted);
    }
  };
}
