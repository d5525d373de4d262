import { STREAMS, subjectOf, type EventType } from '@pipeline/contracts';
import type { Connection } from './connection.ts';
import { lastMessage } from './direct-get.ts';
import { readRevision } from './event-headers.ts';

/** The call whose result is looked for. */
export type CallRevision = { readonly businessId: string; readonly callSid: string; readonly revision: number };

/**
 * Whether a stage's result for this call is already published: the last message on the call's exact next subject carries our
 * revision or a higher one. A direct get on that subject, which permissions can bind. A replica may answer stale: then the work
 * is paid twice and the fences behind decide. Throws what the broker throws, except "no message".
 */
export async function hasResult(connection: Connection, produces: EventType, call: CallRevision): Promise<boolean> {
  const subject = subjectOf(produces, call.businessId, call.callSid);
  const last = await lastMessage(connection, STREAMS[produces], subject);
  return (readRevision(last?.headers) ?? 0) >= call.revision;
}
