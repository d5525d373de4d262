import { callLogSchema, type CallLog, type NewCallLog } from '@pipeline/contracts';
import { StoreError } from '../connection/errors.ts';
import type { StoredDocument } from './model.ts';

/** What the database holds for a CallSid. */
export type StoredCall =
  | { readonly kind: 'none' }
  | { readonly kind: 'call'; readonly callLog: CallLog }
  | {
      readonly kind: 'erased';
      readonly businessId: string;
      readonly revision: number;
      readonly erasedAt?: string;
    }
  | { readonly kind: 'expired'; readonly businessId: string; readonly revision: number };

/** What of a document comes from the caller; the rest is written by the store (`_id`, `previous`, its times). */
export type DocumentContent = { readonly startedAt: Date; readonly endedAt: Date } & Readonly<Record<string, unknown>>;

/** A new CallLog as document. Instants become dates, so they keep milliseconds and no more. */
export function toContent(log: NewCallLog): DocumentContent {
  const { callSid: _callSid, startedAt, endedAt, ...rest } = log;
  return { ...rest, startedAt: new Date(startedAt), endedAt: new Date(endedAt) };
}

/** Tells what a document is. Throws a StoreError for one that is none of ours, without a word of what is in it. */
export function fromDocument(document: StoredDocument | null): StoredCall {
  if (document === null) return { kind: 'none' };
  const { businessId, revision } = document;
  if ('erased' in document && document.erased === true) {
    const { erasedAt } = document as { readonly erasedAt?: Date }; // a tombstone, written by `tombstone` alone
    return { kind: 'erased', businessId, revision, ...(erasedAt && { erasedAt: erasedAt.toISOString() }) };
  }
  if ('expired' in document && document.expired === true) return { kind: 'expired', businessId, revision };
  return { kind: 'call', callLog: toCallLog(document) };
}

/** The CallLog of a document: strings again, without what only the database needs. */
export function toCallLog(document: Readonly<Record<string, unknown>>): CallLog {
  const { _id, createdAt: _createdAt, updatedAt: _updatedAt, ...rest } = document;
  const parsed = callLogSchema.safeParse({
    ...rest,
    callSid: _id,
    startedAt: instant(rest['startedAt']),
    endedAt: instant(rest['endedAt']),
    stored_at: instant(rest['stored_at']),
  });
  if (parsed.success) return parsed.data;
  const places = [...new Set(parsed.error.issues.map((issue) => issue.path.map(String).join('.')))];
  throw new StoreError('DOCUMENT_INVALID', `a stored CallLog does not fit at ${places.join(', ').slice(0, 300)}`);
}

function instant(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value;
}
