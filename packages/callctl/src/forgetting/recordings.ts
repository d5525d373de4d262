import { z } from 'zod';
import { CommandError } from '../verb.ts';

/** The account whose recordings are deleted, and the key that may. */
export type TwilioAccount = {
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
};

/** Milliseconds for one request. */
const REQUEST_MS = 15_000;
const listSchema = z.object({
  recordings: z.array(z.object({ sid: z.string().regex(/^RE[0-9a-f]{32}$/) })).max(1_000),
});

/**
 * Deletes the recordings of a call at Twilio and answers how many there were. One that is not there any more is deleted; one that is
 * still being made is not listed yet, so whoever erases a call that has just ended repeats this. Throws a CommandError that says what
 * Twilio answered.
 */
export async function deleteRecordings(account: TwilioAccount, callSid: string, signal: AbortSignal): Promise<number> {
  const base = `${account.baseUrl}/2010-04-01/Accounts/${account.accountSid}`;
  const listed = await ask(account, `${base}/Calls/${callSid}/Recordings.json?PageSize=100`, 'GET', signal);
  if (!listed.ok) throw refused(listed.status);
  const parsed = listSchema.safeParse(await listed.json().catch(() => null));
  if (!parsed.success) throw new CommandError('Twilio answered no list of recordings: is TWILIO_BASE_URL right?');
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
    throw new CommandError(
      'Twilio could not be reached, and the call is not erased: check TWILIO_BASE_URL, and try again',
    );
  }
}

function refused(status: number): CommandError {
  const what = status === 401 || status === 403 ? 'check TWILIO_API_KEY_SID and its secret' : 'try again';
  return new CommandError(`Twilio answered ${status} about the recordings, and the call is not erased: ${what}`);
}
