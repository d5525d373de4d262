import { businessIdSchema, callSidSchema, eventId, EVENT_VERSION, type CallErase } from '@pipeline/contracts';
import { connectOperator } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { brokerSchema } from '../config.ts';
import { CommandError, UsageError, type Verb } from '../verb.ts';

/** Milliseconds that publishing the command may take once the broker is reached. */
const PUBLISH_DEADLINE_MS = 15_000;

/** Asks extractor to forget a call: publishes the command, which is kept until it is worked. */
export const erase: Verb = {
  name: 'erase',
  summary: 'ask for a call to be forgotten: publishes the command that puts a tombstone in its place, for ever',
  arguments: ['<callSid>'],
  options: {
    business: { value: '<businessId>', summary: 'the business that the call belongs to; another one is refused' },
    by: { value: '<name>', summary: 'who asked for it, kept in the command', default: 'callctl' },
  },
  run: async (context) => {
    const callSid = callSidSchema.safeParse(context.arguments[0]);
    if (!callSid.success) throw new UsageError('<callSid> is CA and 32 lower-case hexadecimal digits');
    const businessId = businessIdSchema.safeParse(context.options['business']);
    if (!businessId.success) throw new UsageError('--business <businessId> is needed: 1 to 64 letters, digits, _ or -');
    const requestedBy = String(context.options['by']).slice(0, 200);
    const config = parseConfig(brokerSchema, context.environment);
    const who = { config, identity: 'callctl', instance: 'callctl', logger: context.logger } as const;
    const operator = await connectOperator(who);
    const deadline = AbortSignal.timeout(PUBLISH_DEADLINE_MS);
    try {
      const signal = AbortSignal.any([context.signal, deadline]);
      await operator.publish(commandFor(callSid.data, businessId.data, requestedBy), { signal });
    } catch (error) {
      if (!deadline.aborted) throw error;
      throw new CommandError('NATS did not take the command: is it provisioned? Run: callctl provision');
    } finally {
      await operator.close();
    }
    const text = `asked for call ${callSid.data} of business ${businessId.data} to be erased; see: callctl show ${callSid.data}`;
    return { json: { callSid: callSid.data, businessId: businessId.data, published: true }, text };
  },
};

function commandFor(callSid: string, businessId: string, requestedBy: string): CallErase {
  return {
    type: 'call.erase',
    version: EVENT_VERSION,
    id: eventId(callSid, 'erase', 1),
    occurredAt: new Date().toISOString(),
    businessId,
    callSid,
    // The tombstone keeps the higher revision of its own and this one.
    revision: 1,
    data: { requestedBy },
  };
}
