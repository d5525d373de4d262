import { Buffer } from 'node:buffer';
import type { StoredAttempt } from './attempt.ts';
import type { DeliveryDocument } from './model.ts';
import type { DeliveryRow } from './row.ts';

/** A row out of its document. A body that was not read, or was removed, is null. */
export function toRow(document: DeliveryDocument): DeliveryRow {
  const { _id, body, nextAttemptAt, ownFailures = null, ...rest } = document;
  return { ...rest, id: _id, body: toBytes(body), nextAttemptAt: nextAttemptAt ?? null, ownFailures };
}

/** An attempt out of its document, which is what was written for it. */
export function toStoredAttempt(document: object): StoredAttempt {
  const { _id: _removed, ...rest } = document as StoredAttempt & { readonly _id?: unknown }; // written by `settle` alone, as this type
  return rest;
}

/** Lean documents hold the driver's Binary, whose buffer may be longer than its content. */
function toBytes(body: unknown): Buffer | null {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body !== 'object' || body === null || !('buffer' in body) || !('position' in body)) return null;
  const { buffer, position } = body;
  if (!(buffer instanceof Uint8Array) || typeof position !== 'number') return null;
  return Buffer.from(buffer.buffer, buffer.byteOffset, position);
}
