import type { MsgHdrs } from 'nats';
import { BrokerError } from './broker-error.ts';
import { REQUEST_TIMEOUT_MS, type Connection } from './connection.ts';

/** A message as a stream stores it. `storedAt` in milliseconds since 1970, by the broker's clock. */
export type StoredMessage = {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly seq: number;
  readonly storedAt: number;
};

/**
 * The last message on one exact subject of a stream, or null. By direct get with the subject in the request's own subject, the
 * only form that permissions can bind; the client's types do not offer it. Any replica answers, perhaps a little behind.
 * Throws what the broker throws; a stream that is not there is code 503, as is every subject that nobody answers.
 */
export async function lastMessage(
  connection: Connection,
  stream: string,
  subject: string,
): Promise<StoredMessage | null> {
  return directGet(connection, stream, `$JS.API.DIRECT.GET.${stream}.${subject}`);
}

/** The first message of a stream at or behind a sequence that a filter fits, by default whatever its subject, or null. For operators: no permission can bind it. */
export async function messageFrom(
  connection: Connection,
  stream: string,
  seq: number,
  filter = '>',
): Promise<StoredMessage | null> {
  return directGet(connection, stream, `$JS.API.DIRECT.GET.${stream}`, JSON.stringify({ seq, next_by_subj: filter }));
}

/** The subject of the last message that a filter with wildcards fits, or null. For operators: no permission can bind it. */
export async function lastSubject(connection: Connection, stream: string, filter: string): Promise<string | null> {
  const request = `$JS.API.DIRECT.GET.${stream}`;
  return (await directGet(connection, stream, request, JSON.stringify({ last_by_subj: filter })))?.subject ?? null;
}

async function directGet(
  { nc }: Connection,
  stream: string,
  request: string,
  payload?: string,
): Promise<StoredMessage | null> {
  const answer = await nc.request(request, payload, { timeout: REQUEST_TIMEOUT_MS });
  const code = answer.headers?.code ?? 0;
  if (code === 404) return null;
  if (code >= 300) throw new BrokerError(`${stream} answered ${code} to a direct get`);
  const header = (name: string): string => answer.headers?.get(name) ?? '';
  return {
    subject: header('Nats-Subject'),
    data: answer.data,
    headers: answer.headers,
    seq: Number(header('Nats-Sequence')),
    storedAt: Date.parse(header('Nats-Time-Stamp')),
  };
}
