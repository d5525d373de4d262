import { createCallLogReader, type CallLogReader } from '@pipeline/call-store/call-log';
import type { Store } from '@pipeline/call-store/settings';
import { businessIdSchema, callSidSchema } from '@pipeline/contracts';
import { connectOperator, type ConnectionIdentity } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import type { z } from 'zod';
import { erasingSchema } from '../config.ts';
import { commandFor } from '../forgetting/command.ts';
import { createPurge, type PurgeCounts } from '../forgetting/purge.ts';
import { publishCommand } from '../forgetting/publishing.ts';
import {
  countOf,
  forgetRecordings,
  isForgotten,
  twilioText,
  type AtTwilio,
  type TwilioAccount,
} from '../forgetting/recordings.ts';
import { untilErased } from '../forgetting/tombstone.ts';
import { CommandError, UsageError, type Context, type Result, type Verb } from '../verb.ts';
import { withStoreOf } from '../with-store.ts';

type Request = {
  readonly callSid: string;
  readonly businessId: string;
  readonly requestedBy: string;
  readonly waitMs: number;
  readonly isWithoutRecordings: boolean;
};

/**
 * Forgets a call: asks extractor for the tombstone, deletes its recordings at Twilio, waits until the tombstone stands, and removes what
 * the broker and the deliveries hold. The command goes first: once it is taken, all the rest may fail and be repeated. Without a
 * tombstone nothing is removed here, for a stage would only bring it back.
 */
export const erase: Verb = {
  name: 'erase',
  summary: 'forget a call for ever: a tombstone in its place, and its events, large parts and webhook bodies removed',
  arguments: ['<callSid>'],
  options: {
    business: { value: '<businessId>', summary: 'the business that the call belongs to; another one is refused' },
    by: { value: '<name>', summary: 'who asked for it, kept in the command', default: 'callctl' },
    'without-recordings': { summary: 'leave the recordings at Twilio: there are none, or they are deleted elsewhere' },
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
  await ask(request, { who, reader }, context.signal);
  const recordings: AtTwilio = request.isWithoutRecordings
    ? { kind: 'left' }
    : await forgetRecordings(accountOf(config), callSid, context.signal);
  if (waitMs === 0) {
    return asked(request, recordings, 'it is asked for, and what is left is removed by: callctl sweep', true);
  }
  if (!(await untilErased(reader, callSid, waitMs, context.signal))) {
    const words = `extractor has not worked the command within ${waitMs / 1_000} s. It is kept; repeat this later`;
    return asked(request, recordings, words, false);
  }
  return erased(request, recordings, await createPurge(who, store).erased([callSid], context.signal));
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
    isWithoutRecordings: options['without-recordings'] === true,
  };
}

type Asking = { readonly who: ConnectionIdentity; readonly reader: Pick<CallLogReader, 'ownerOf'> };

/** Publishes the command, unless what is known of the call says that it is another business's. Until then nothing is removed anywhere. */
async function ask(
  { callSid, businessId, requestedBy }: Request,
  { who, reader }: Asking,
  signal: AbortSignal,
): Promise<void> {
  const operator = await connectOperator(who);
  try {
    const owner = (await reader.ownerOf(callSid, signal)) ?? (await operator.businessOf(callSid));
    if (owner !== null && owner !== businessId) {
      throw new CommandError(`call ${callSid} is of business ${owner}, not of ${businessId}: nothing was done`);
    }
    await publishCommand(operator, commandFor({ callSid, businessId, requestedBy, because: 'request' }), signal);
  } finally {
    await operator.close();
  }
}

function asked({ callSid, businessId }: Request, recordings: AtTwilio, words: string, isAsked: boolean): Result {
  const text = `call ${callSid} of business ${businessId} is not erased yet: ${words}. ${twilioText(recordings)}.`;
  const json = { callSid, businessId, published: true, erased: false, recordings: countOf(recordings) };
  return { ok: isAsked && isForgotten(recordings), json, text };
}

function erased({ callSid, businessId }: Request, recordings: AtTwilio, counts: PurgeCounts): Result {
  const { messages, bodies, attempts } = counts;
  const removed = `${messages} messages, ${bodies} webhook bodies and what ${attempts} attempts heard are removed`;
  const text = `call ${callSid} of business ${businessId} is erased: ${removed}. ${twilioText(recordings)}.`;
  const json = { callSid, businessId, published: true, erased: true, ...counts, recordings: countOf(recordings) };
  return { ok: isForgotten(recordings), json, text };
}

function accountOf(config: Config): TwilioAccount | null {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_API_KEY_SID: apiKeySid, TWILIO_API_KEY_SECRET: apiKeySecret } = config;
  if (accountSid === undefined || apiKeySid === undefined || apiKeySecret === undefined) return null;
  return { baseUrl: config.TWILIO_BASE_URL, accountSid, apiKeySid, apiKeySecret };
}
