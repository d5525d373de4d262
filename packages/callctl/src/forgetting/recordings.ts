import { z } from 'zod';
import { CommandError } from '../verb.ts';

/** The account whose recordings are deleted, and the key that may. */
export type TwilioAccount = {
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
};

/**
 * What became of the recordings of a call: so many were deleted, or Twilio knows no such call. Or they were not: the operator wanted to
 * leave them, nobody said whose they are, or Twilio did not do it, and why.
 */
export type AtTwilio =
  | { readonly kind: 'deleted'; readonly count: number }
  | { readonly kind: 'unknown_call' }
  | { readonly kind: 'left' | 'no_account' }
  | { readonly kind: 'failed'; readonly why: string };

/** Milliseconds for one request. */
const REQUEST_MS = 15_000;
const listSchema = z.object({
  recordings: z.array(z.object({ sid: z.string().regex(/^RE[0-9a-f]{32}$/) })).max(1_000),
});

/** {@link deleteRecordings}, where a failure is a result: all else of the call is forgotten nevertheless. */
export async function forgetRecordings(
  account: TwilioAccount | null,
  callSid: string,
  signal: AbortSignal,
): Promise<AtTwilio> {
  if (account === null) return { kind: 'no_account' };
  try {
    const count = await deleteRecordings(account, callSid, signal);
    return count === null ? { kind: 'unknown_call' } : { kind: 'deleted', count };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { kind: 'failed', why: error.message };
  }
}

/** Whether nothing is left to do at Twilio. */
export function isForgotten({ kind }: AtTwilio): boolean {
  return kind !== 'failed' && kind !== 'no_account';
}

/** How many were deleted; null when they were not. */
export function countOf(found: AtTwilio): number | null {
  switch (found.kind) {
    case 'deleted':
      return found.count;
    case 'unknown_call':
      return 0;
    case 'left':
    case 'no_account':
    case 'failed':
      return null;
  }
}

/** One sentence for the operator. */
export function twilioText(found: AtTwilio): string {
  switch (found.kind) {
    case 'left':
      return 'Its recordings at Twilio were not looked for';
    case 'no_account':
      return 'Its recordings at Twilio were NOT deleted: set TWILIO_ACCOUNT_SID and its key, and repeat this; or say --without-recordings';
    case 'unknown_call':
      return 'Twilio does not know the call, so no recording of it is there';
    case 'failed':
      return `Its recordings at Twilio were NOT deleted: ${found.why}`;
    case 'deleted':
      return found.count === 0
        ? 'Twilio lists no recording of it; if the call has just ended there may be one soon: repeat this then'
        : `${found.count} recordings are deleted at Twilio`;
  }
}

/**
 * Deletes the recordings of a call at Twilio and answers how many there were, or null for a call that Twilio does not know: of another
 * account, or older than what Twilio keeps. One that is not there any more is deleted; one that is
 * still being made is not listed yet, so whoever erases a call that has just ended repeats this. Throws a CommandError that says what
 * Twilio answered.
 */
async function deleteRecordings(account: TwilioAccount, callSid: string, signal: AbortSignal): Promise<number | null> {
  const base = `${account.baseUrl}/2010-04-01/Accounts/${account.accountSid}`;
  const listed = await ask(account, `${base}/Calls/${callSid}/Recordings.json?PageSize=100`, 'GET', signal);
  if (listed.status === 404) return null;
  if (!listed.ok) throw refused(listed.status);
  const parsed = listSchema.safeParse(await listed.json().catch(() => null));
  if (!parsed.success)
    throw new CommandError('Twilio answered no list of recordings: is TWILIO_BASE_URL right? Then repeat this');
  for (const { sid } of parsed.data.recordings) {
    const { ok, status } = await ask(account, `${base}/Recordings/${sid}.json`, 'DELETE', signal);
    if (!ok && status !== 404) throw refused(status);
  }
  return parsed.data.recordings.length;
}

async function ask(
  { apiKeySid, apiKeySecret }: TwilioAccount,
  url: string,
  method: 'GET' | 'DELETE',
  stopped: AbortSignal,
): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}`;
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(REQUEST_MS)]);
  try {
    // A redirect would take the key elsewhere.
    return await fetch(url, {
      method,
      headers: { authorization, accept: 'application/json' },
      redirect: 'error',
      signal,
    });
  } catch {
    stopped.throwIfAborted();
    throw new CommandError('Twilio could not be reached. Check TWILIO_BASE_URL, and repeat this');
  }
}

function refused(status: number): CommandError {
  const what =
    status === 401 || status === 403 ? 'check TWILIO_API_KEY_SID and its secret, and repeat this' : 'repeat this';
  return new CommandError(`Twilio answered ${status}: ${what}`);
}
