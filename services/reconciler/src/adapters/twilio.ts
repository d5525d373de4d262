import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { PermanentError, providerFailure, RetryLaterError } from '@pipeline/contracts';
import type { CallPage } from '../handler.ts';
import { readPage } from './call-rows.ts';

export type TwilioOptions = {
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  /** Rows of a page, at most 1,000. */
  readonly pageSize: number;
  /** Milliseconds for one page with everything. */
  readonly timeoutMs: number;
  /** Milliseconds of the first pause before a page is asked for again; doubles. Default 1 s. */
  readonly retryMs?: number;
};

export type Twilio = {
  /** The time of day at Twilio, whose clock stamps the ends of calls: of the header `Date` (RFC 9110), to the second, in milliseconds since 1970. */
  time(signal: AbortSignal): Promise<number>;
  /**
   * Calls that ended at or after a time, and others: Twilio promises a filter of whole UTC days. Page by page, from a page on that an
   * earlier list named as its next, or the first. How long Twilio knows such a name is not documented.
   */
  listEnded(sinceMs: number, from: string | null, signal: AbortSignal): AsyncGenerator<CallPage>;
  close(): Promise<void>;
};

type Answer = { readonly body: string; readonly date: string };

/** A page of 1,000 rows is one and a half megabytes. */
const MAX_PAGE_BYTES = 8 * 1_048_576;
/** Ten million calls; a list that does not end is broken. */
const MAX_PAGES = 10_000;
/** Tries of one page, and the longest pause between them: the next run comes in minutes anyway. */
const TRIES = 4;
const LONGEST_PAUSE_MS = 60_000;

/** Twilio's list of calls by its REST API (2010-04-01). It only reads. */
export function createTwilio(options: TwilioOptions): Twilio {
  const dispatcher = new Agent({ connect: { timeout: 10_000 } });
  const authorization = `Basic ${Buffer.from(`${options.apiKeySid}:${options.apiKeySecret}`).toString('base64')}`;
  const first = new URL(`${options.baseUrl}/2010-04-01/Accounts/${options.accountSid}/Calls.json`);

  const ask = async (url: URL, outer: AbortSignal): Promise<Answer> => {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(options.timeoutMs)]);
    try {
      const headers = { authorization, accept: 'application/json' };
      const response = await request(url, { dispatcher, headers, signal });
      if (response.statusCode !== 200) throw await refusal(response);
      return { body: await readText(response.body), date: String(response.headers['date']) };
    } catch (error) {
      outer.throwIfAborted();
      if (error instanceof RetryLaterError || error instanceof PermanentError) throw error;
      throw providerFailure({ provider: 'Twilio', cause: error }, Date.now());
    }
  };

  const getPage = (url: URL, signal: AbortSignal): Promise<Answer> =>
    withRetries(() => ask(url, signal), options.retryMs ?? 1_000, signal);

  return {
    time: async (signal) => {
      const one = new URL(first);
      one.searchParams.set('PageSize', '1');
      const at = Date.parse((await getPage(one, signal)).date);
      if (Number.isNaN(at)) throw broken('the answer does not say the time');
      return at;
    },
    listEnded: async function* (sinceMs, from, signal) {
      const start = new URL(first);
      // The name of the parameter ends in `>`; an instant is what Twilio's own library sends.
      start.searchParams.set('EndTime>', `${new Date(sinceMs).toISOString().slice(0, 19)}Z`);
      start.searchParams.set('PageSize', String(options.pageSize));
      const asked = new Set<string>();
      for (let url = nextOf(from, first) ?? start; ;) {
        if (asked.has(url.href) || asked.size >= MAX_PAGES) throw broken('the list of calls does not end');
        asked.add(url.href);
        const page = readPage((await getPage(url, signal)).body);
        if (page === null) throw broken('a page of the list of calls is not readable');
        yield page;
        const next = nextOf(page.next, first);
        if (next === null) return;
        url = next;
      }
    },
    close: () => dispatcher.close(),
  };
}

/** The next page, which our key is sent to: only the same list on the same host. */
function nextOf(next: string | null, first: URL): URL | null {
  if (next === null) return null;
  const url = URL.canParse(next, first.href) ? new URL(next, first) : null;
  if (url === null || url.origin !== first.origin || url.pathname !== first.pathname || url.username !== '')
    throw broken('the next page of the list of calls is somewhere else');
  return url;
}

/** Repeats what may heal while this run lasts. A key that is refused is for a person, and the next run. */
async function withRetries<T>(work: () => Promise<T>, retryMs: number, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const isWorthIt = error instanceof RetryLaterError && error.pause === undefined && attempt < TRIES;
      if (!isWorthIt || (error.retryAfterMs ?? 0) > LONGEST_PAUSE_MS) throw error;
      const pauseMs = Math.max(error.retryAfterMs ?? 0, retryMs * 2 ** (attempt - 1));
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

async function refusal(response: Dispatcher.ResponseData): Promise<RetryLaterError | PermanentError> {
  await response.body.dump();
  const header = response.headers['retry-after'];
  const retryAfter = Array.isArray(header) ? header[0] : header;
  return providerFailure({ provider: 'Twilio', status: response.statusCode, retryAfter }, Date.now());
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_PAGE_BYTES) throw broken('a page of the list of calls is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function broken(message: string): PermanentError {
  return new PermanentError('PROVIDER_REJECTED', { message });
}
