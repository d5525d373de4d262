import { callEndedSchema, PermanentError, type CallEnded } from '@pipeline/contracts';
import type { Logger, Readiness } from '@pipeline/runtime';

/**
 * The way out for `call.ended`. There is no outbox on disk: an event lives here until the stream has it, and admission stops
 * before memory does (`count` is part of the capacity check, so nothing that was promised is ever dropped).
 */
export type EventPublisher = {
  /** Resolved when the stream has the event. Never rejected: it is tried until it succeeds. */
  publish(event: CallEnded): Promise<void>;
  /** Events that the stream does not have yet. */
  count(): number;
  readiness(): Readiness;
  /** Waits for all of them. */
  flush(): Promise<void>;
};

type PublisherDeps = {
  /** The broker's own publish: repeats by itself while it can and rejects when it gives up. */
  readonly send: (event: CallEnded) => Promise<void>;
  readonly logger: Logger;
  readonly retryBaseMs?: number;
};

const RETRY_MAX_MS = 30_000;
/** An event that waits longer than this makes the process unready. */
const LATE_MS = 5_000;

export function createEventPublisher(deps: PublisherDeps): EventPublisher {
  const waiting = new Map<string, { since: number; stored: Promise<void> }>();

  const sendUntilStored = async (event: CallEnded): Promise<void> => {
    let body = readable(event);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await deps.send(body);
      } catch (error) {
        const { callSid, businessId, id } = event;
        deps.logger.warn({ callSid, businessId, eventId: id, attempt, err: error }, 'call.ended is not stored yet');
        // Too large is for ever: the end of the call counts for more than its live transcript.
        if (error instanceof PermanentError) body = withoutTranscript(event);
        await pause(Math.min(RETRY_MAX_MS, (deps.retryBaseMs ?? 500) * 2 ** Math.min(attempt, 16)));
      }
    }
  };

  /** An event that the next stage could not read would be a dead letter: it goes without its live transcript instead. */
  const readable = (event: CallEnded): CallEnded => {
    if (event.data.liveTranscript === null || callEndedSchema.safeParse(event).success) return event;
    const { callSid, businessId, id } = event;
    deps.logger.error({ callSid, businessId, eventId: id }, 'the live transcript breaks its contract and is left out');
    return withoutTranscript(event);
  };

  return {
    publish: (event) => {
      const stored = sendUntilStored(event).finally(() => waiting.delete(event.id));
      waiting.set(event.id, { since: performance.now(), stored });
      return stored;
    },
    count: () => waiting.size,
    readiness: () => {
      const late = [...waiting.values()].filter((entry) => performance.now() - entry.since > LATE_MS).length;
      return late === 0 ? { ok: true } : { ok: false, reason: `${late} call.ended events wait for the broker` };
    },
    flush: async () => {
      while (waiting.size > 0) await Promise.all([...waiting.values()].map((entry) => entry.stored));
    },
  };
}

function withoutTranscript(event: CallEnded): CallEnded {
  return { ...event, data: { ...event.data, liveTranscript: null } };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
