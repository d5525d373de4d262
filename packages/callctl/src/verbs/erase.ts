import { createCallLogReader, type CallLogReader } from '@pipeline/call-store/call-log';
import type { Store } from '@pipeline/call-store/settings';
import { businessIdSchema, callSidSchema } from '@pipeline/contracts';
import { connectOperator, type ConnectionIdentity } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import type { z } from 'zod';
import { erasingSchema } from '../config.ts';
import { commandFor } from '../forgetting/command.ts';
import { createPurge, type PurgeCounts } from '../forgetting/purge.ts';
import { deleteRecordings, type TwilioAccount } from '../forgetting/recordings.ts';
import { untilErased } from '../forgetting/tombstone.ts';
import { CommandError, UsageError, type Context, type Result, type Verb } from '../verb.ts';
import { withStoreOf } from '../with-store.ts';

/** Milliseconds that publishing the command may take once the broker is reached. */
const PUBLISH_DEADLINE_MS = 15_000;

type Request = {
  readonly callSid: string;
  readonly businessId: string;
  readonly requestedBy: string;
  readonly waitMs: number;
};

/**
 * Forgets a call: deletes its recordings at Twilio, asks extractor for the tombstone, waits until it stands, and removes what the broker
 * and the deliveries hold. Without a tombstone nothing is removed here, for a stage would only bring it back.
 */
export const erase: Verb = {
  name: 'erase',
  summary: 'forget a call for ever: a tombstone in its place, and its events, large parts and webhook bodies removed',
  arguments: ['<callSid>'],
  options: {
    business: { value: '<businessId>', summary: 'the business that the call belongs to; another one is refused' },
    by: { value: '<name>', summary: 'who asked for it, kept in the command', default: 'callctl' },
    wait: { value: '<seconds>', summary: 'for the tombstone; 0 only asks for it', default: '30' },
  },
  run: async (context) => {
    const request = readRequest(context);
    const config = parseConfig(erasingSchema, context.environment);
    return withStoreOf(config, (store) => forget(request, config, store, context));
  },
};

type Config = z.output<typeof erasingSchema>;

async function forget(request: Request, config: Config, store: Store, context: Context): Promise<Result> {
  const { callSid, waitMs } = request;
  const reader = createCallLogReader(store);
  const who = { config, identity: 'callctl', instance: 'callctl', logger: context.logger } as const;
  const account = accountOf(config);
  const atTwilio = async () => (account === null ? null : deleteRecordings(account, callSid, context.signal));
  const recordings = await ask(request, { who, reader, atTwilio }, context.signal);
  if (waitMs === 0) return asked(request, 'it is asked for, and what is left is removed by: callctl sweep', true);
  if (!(await untilErased(reader, callSid, waitMs, context.signal))) {
    const words = `extractor has not worked the command within ${waitMs / 1_000} s. It is kept; repeat this later`;
    return asked(request, words, false);
  }
  return erased(request, { recordings, ...(await createPurge(who, store).erased([callSid], context.signal)) });
}

function readRequest({ arguments: [typed], options }: Context): Request {
  const callSid = callSidSchema.safeParse(typed);
  if (!callSid.success) throw new UsageError('<callSid> is CA and 32 lower-case hexadecimal digits');
  const businessId = businessIdSchema.safeParse(options['business']);
  if (!businessId.success) throw new UsageError('--business <businessId> is needed: 1 to 64 letters, digits, _ or -');
  if (!/^\d{1,4}$/.test(String(options['wait']))) throw new UsageError('--wait takes whole seconds, up to 9999');
  return {
    callSid: callSid.data,
    businessId: businessId.data,
    requestedBy: String(options['by']).slice(0, 200),
    waitMs: Number(options['wait']) * 1_000,
  };
}

type Asking = {
  readonly who: ConnectionIdentity;
  readonly reader: Pick<CallLogReader, 'ownerOf'>;
  /** Deletes what Twilio has; null when nobody said where. */
  atTwilio(): Promise<number | null>;
};

/** Deletes at Twilio and publishes the command, unless what is known of the call says that it is another business's. */
async function ask(
  { callSid, businessId, requestedBy }: Request,
  { who, reader, atTwilio }: Asking,
  stopped: AbortSignal,
): Promise<number | null> {
  const operator = await connectOperator(who);
  const deadline = AbortSignal.timeout(PUBLISH_DEADLINE_MS);
  const signal = AbortSignal.any([stopped, deadline]);
  try {
    const owner = (await reader.ownerOf(callSid, signal)) ?? (await operator.businessOf(callSid));
    if (owner !== null && owner !== businessId) {
      throw new CommandError(`call ${callSid} is of business ${owner}, not of ${businessId}: nothing was done`);
    }
    const deleted = await atTwilio();
    await operator.publish(commandFor({ callSid, businessId, requestedBy, because: 'request' }), { signal });
    return deleted;
  } catch (error) {
    if (!deadline.aborted) throw error;
    throw new CommandError('NATS did not take the command: is it provisioned? Run: callctl provision');
  } finally {
    await operator.close();
  }
}

function asked({ callSid, businessId }: Request, words: string, ok: boolean): Result {
  const text = `call ${callSid} of business ${businessId} is not erased yet: ${words}`;
  return { ok, json: { callSid, businessId, published: true, erased: false }, text };
}

function erased(
  { callSid, businessId }: Request,
  counts: PurgeCounts & { readonly recordings: number | null },
): Result {
  const { messages, bodies, attempts, recordings } = counts;
  const removed = `${messages} messages, ${bodies} webhook bodies and what ${attempts} attempts heard are removed`;
  const text = `call ${callSid} of business ${businessId} is erased: ${removed}. ${twilioText(recordings)}.`;
  return { json: { callSid, businessId, published: true, erased: true, ...counts }, text };
}

function twilioText(recordings: number | null): string {
  if (recordings === null)
    return 'Its recordings at Twilio were NOT deleted: set TWILIO_ACCOUNT_SID and its key, and repeat this';
  if (recordings === 0)
    return 'Twilio lists no recording of it; if the call has just ended there may be one soon: repeat this then';
  return `${recordings} recordings are deleted at Twilio`;
}

function accountOf(config: Config): TwilioAccount | null {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_API_KEY_SID: apiKeySid, TWILIO_API_KEY_SECRET: apiKeySecret } = config;
  if (accountSid === undefined || apiKeySid === undefined || apiKeySecret === undefined) return null;
  return { baseUrl: config.TWILIO_BASE_URL, accountSid, apiKeySid, apiKeySecret };
}
