import type { CallEnded } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import { createEventPublisher, type EventPublisher } from './adapters/broker.ts';
import type { CallDirectory } from './call-directory.ts';
import type { CallFacts } from './call-record.ts';
import type { CallOutcome } from './running-call.ts';

export type EndPublisher = Omit<EventPublisher, 'publish'> & {
  /** Resolved when the stream has the event, or another process has the call. Never rejected. */
  publish(event: CallEnded): Promise<CallOutcome>;
};

type EndDeps = {
  readonly send: (event: CallEnded) => Promise<void>;
  readonly directory: Pick<CallDirectory, 'claimEnd'>;
  readonly logger: Logger;
};

/**
 * Publishes the end of a call. With a live transcript it goes out whatever others say: it is the only one. Without one, another
 * process may have the call and its transcript, and whichever event is stored first stands; so the right to publish is claimed
 * first, and the event waits in memory while that cannot be decided.
 */
export function createEndPublisher({ send, directory, logger }: EndDeps): EndPublisher {
  const elsewhere = new Set<string>();
  const publisher = createEventPublisher({
    send: async (event) => {
      const mayLoseWords = event.data.liveTranscript === null;
      if (mayLoseWords && !(await directory.claimEnd(event.callSid, factsOfEvent(event)))) {
        elsewhere.add(event.id);
        return;
      }
      await send(event);
    },
    logger,
  });
  return {
    ...publisher,
    publish: async (event) => {
      await publisher.publish(event);
      return elsewhere.delete(event.id) ? 'elsewhere' : 'stored';
    },
  };
}

function factsOfEvent({ businessId, data: { call, analysis } }: CallEnded): CallFacts {
  const { from, to, direction, startedAt } = call;
  return { businessId, from, to, direction, startedAt: Date.parse(startedAt), analysis };
}
