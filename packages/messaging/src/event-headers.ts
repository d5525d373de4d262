import { headers, type MsgHdrs } from 'nats';
import { z } from 'zod';
import { CLAIM_BUCKET, revisionSchema, type OutboundEvent } from '@pipeline/contracts';
import { childTraceparent } from './trace-context.ts';

/** Where the whole event lies when the message holds only its remainder. `expiresAt` is RFC 3339, `sha256` lower-case hex. */
export type ClaimReference = {
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly expiresAt: string;
};

/** The largest event, in bytes of JSON: below the 16 MiB of one database document, which holds the same parts. */
export const MAX_EVENT_BYTES = 12 * 1_048_576;
/** Bytes below that which a first publishing leaves free: each stage that hands the event on adds its failed part, some 150 bytes. */
export const HAND_ON_BYTES = 64 * 1_024;

const NAMES = {
  revision: 'Call-Revision',
  traceparent: 'traceparent',
  bucket: 'Claim-Bucket',
  key: 'Claim-Key',
  sha256: 'Claim-Sha256',
  bytes: 'Claim-Bytes',
  expiresAt: 'Claim-Expires-At',
} as const;

/** Only our own bucket: a header must not point a reader elsewhere. */
const referenceSchema = z.object({
  bucket: z.literal(CLAIM_BUCKET),
  key: z.string().regex(/^[A-Za-z0-9_-]{1,64}\/[A-Za-z0-9_-]{1,64}\/[A-Za-z0-9._-]{1,128}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.number().max(MAX_EVENT_BYTES)),
  expiresAt: z.iso.datetime(),
});

/** The headers of an event that is published. A malformed `traceparent` is replaced, so no line break gets through. */
export function eventHeaders(
  event: OutboundEvent,
  traceparent: string | undefined,
  claim: ClaimReference | null,
): MsgHdrs {
  const result = headers();
  result.set(NAMES.traceparent, childTraceparent(traceparent));
  result.set(NAMES.revision, String(event.revision));
  if (claim !== null) addClaim(result, claim);
  return result;
}

/** Adds a reference to headers. */
export function addClaim(target: MsgHdrs, claim: ClaimReference): void {
  target.set(NAMES.bucket, claim.bucket);
  target.set(NAMES.key, claim.key);
  target.set(NAMES.sha256, claim.sha256);
  target.set(NAMES.bytes, String(claim.bytes));
  target.set(NAMES.expiresAt, claim.expiresAt);
}

/** The revision that a stored event carries in its headers; null when absent or malformed. */
export function readRevision(source: MsgHdrs | undefined): number | null {
  const parsed = revisionSchema.safeParse(Number(first(source, NAMES.revision) ?? Number.NaN));
  return parsed.success ? parsed.data : null;
}

/** The `traceparent` as received, unchecked; its readers check the form. */
export function readTraceparent(source: MsgHdrs | undefined): string | undefined {
  return first(source, NAMES.traceparent);
}

/** The reference of a message: `null` when it has none, `malformed` when it has one that is not ours. */
export function readClaim(source: MsgHdrs | undefined): ClaimReference | 'malformed' | null {
  if (first(source, NAMES.key) === undefined) return null;
  const { bucket, key, sha256, bytes, expiresAt } = NAMES;
  const found = Object.entries({ bucket, key, sha256, bytes, expiresAt }).map(([field, name]) => [
    field,
    first(source, name),
  ]);
  const parsed = referenceSchema.safeParse(Object.fromEntries(found));
  return parsed.success ? parsed.data : 'malformed';
}

/** The headers of a received message; undefined when it has none or when they are so malformed that the client cannot read them. */
export function headersOf(message: { readonly headers?: MsgHdrs | undefined }): MsgHdrs | undefined {
  try {
    return message.headers;
  } catch {
    return undefined;
  }
}

function first(source: MsgHdrs | undefined, name: string): string | undefined {
  return source?.has(name) === true ? source.get(name) : undefined;
}
