import { COMMAND_CONSUMER } from '@pipeline/contracts';
import { BrokerError, isNotFound } from './broker-error.ts';
import type { ConnectionIdentity } from './connection.ts';
import { withOperator } from './provision.ts';
import { createTopology } from './topology.ts';

/** Consumers that may read again: what they have done lies in MongoDB, which is what was restored, and not in the next stream. */
export const REREADABLE = ['extractor', COMMAND_CONSUMER, 'webhook-dispatcher'] as const;
export type Rereadable = (typeof REREADABLE)[number];

/**
 * Lets a stage look at everything again that its stream still holds, by making its consumer anew; resolves with how many messages that are. For a MongoDB
 * that was restored from a backup: what is there is only acknowledged, what is missing is worked and paid for again. The stage is unready for a moment.
 * When it fails in between, the consumer is missing, and `provisionBroker` makes it. Throws a BrokerError when there is no broker.
 */
export async function rereadStream(who: ConnectionIdentity, consumer: Rereadable): Promise<number> {
  const spec = createTopology(who.config).consumers.find(({ name }) => name === consumer);
  if (spec === undefined) throw new BrokerError(`there is no consumer ${consumer}`);
  return withOperator(who, async ({ jsm }) => {
    await jsm.consumers.delete(spec.stream, spec.name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    const made = await jsm.consumers.add(spec.stream, { ...spec.config, durable_name: spec.name });
    return made.num_pending;
  });
}
