import { createHash, randomBytes } from 'node:crypto';
import { headers, JsHeaders, type MsgRequest, type StoredMsg } from 'nats';
import { z } from 'zod';
import { CLAIM_BUCKET } from '@pipeline/contracts';
import { isNotFound } from './broker-error.ts';
import type { Connection } from './connection.ts';
import type { ClaimReference } from './event-headers.ts';
import { CLAIM_STREAM, claimTtlMs } from './topology.ts';

/** Whose object it is and what: the key becomes `<businessId>/<callSid>/<label>-<random>`. */
export type ClaimOwner = { readonly businessId: string; readonly callSid: string; readonly label: string };

/** What is found under a reference. `missing` and `corrupt` are final: the object will not come back. */
export type ClaimContent =
  | { readonly kind: 'found'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' | 'corrupt' };

export type ClaimStore = {
  /** Stores bytes under a new key. One try; throws what the broker throws. */
  put(owner: ClaimOwner, bytes: Uint8Array): Promise<ClaimReference>;
  /** Reads and verifies. One try; throws what the broker throws. */
  get(reference: ClaimReference): Promise<ClaimContent>;
};

const CHUNK_BYTES = 128 * 1_024;

const metaSchema = z.object({ nuid: z.string().min(1).max(200), deleted: z.boolean().optional() });

/**
 * Large events in a JetStream object bucket, in the layout of the Object Store (ADR-20), so that its tools can read them.
 *
 * Not the client's own object store, for three reasons: its reader makes an ephemeral consumer, a right that services do not
 * have; it never settles when chunks are gone; and it would create a missing bucket. Reads go to the stream's leader, message by
 * message, each with a deadline, because a replica that lags would make a fresh object look missing.
 * The call stands in the subject of the chunks, so that erasing a call finds them even if their entry was never written.
 */
export function createClaimStore({ js, jsm, config }: Connection): ClaimStore {
  const read = async (query: MsgRequest): Promise<StoredMsg | null> => {
    try {
      return await jsm.streams.getMessage(CLAIM_STREAM, query);
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  };

  return {
    put: async ({ businessId, callSid, label }, bytes) => {
      const random = randomBytes(8).toString('hex');
      const key = `${businessId}/${callSid}/${label}-${random}`;
      const nuid = `${callSid}.${random}`;
      const chunks = Math.ceil(bytes.length / CHUNK_BYTES);
      for (let index = 0; index < chunks; index += 1) {
        await js.publish(chunkSubject(nuid), bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES));
      }
      const digest = createHash('sha256').update(bytes).digest();
      const entry = {
        name: key,
        bucket: CLAIM_BUCKET,
        nuid,
        size: bytes.length,
        chunks,
        digest: `SHA-256=${paddedBase64Url(digest)}`,
      };
      const rollup = headers();
      rollup.set(JsHeaders.RollupHdr, JsHeaders.RollupValueSubject);
      const body = JSON.stringify({ ...entry, options: { max_chunk_size: CHUNK_BYTES } });
      await js.publish(entrySubject(key), Buffer.from(body), { headers: rollup });
      const expiresAt = new Date(Date.now() + claimTtlMs(config)).toISOString();
      return { bucket: CLAIM_BUCKET, key, sha256: digest.toString('hex'), bytes: bytes.length, expiresAt };
    },

    get: async (reference) => {
      const entry = await read({ last_by_subj: entrySubject(reference.key) });
      if (entry === null) return { kind: 'missing' };
      const meta = parseEntry(entry.data);
      if (meta === null) return { kind: 'corrupt' };
      if (meta.deleted === true) return { kind: 'missing' };
      const parts: Uint8Array[] = [];
      let size = 0;
      for (let seq = 1; size < reference.bytes;) {
        const query = { seq, next_by_subj: chunkSubject(meta.nuid) };
        const chunk = await read(query);
        if (chunk === null) return { kind: 'missing' };
        parts.push(chunk.data);
        size += chunk.data.length;
        seq = chunk.seq + 1;
        if (chunk.data.length === 0) return { kind: 'corrupt' };
      }
      const bytes = Buffer.concat(parts);
      const digest = createHash('sha256').update(bytes).digest('hex');
      return digest === reference.sha256 ? { kind: 'found', bytes } : { kind: 'corrupt' };
    },
  };
}

/** The subject that matches all chunks of a call, for erasure. */
export function callChunks(callSid: string): string {
  return chunkSubject(`${callSid}.*`);
}

/** The subject of an object's entry. The key is readable in it: {@link keyOfEntry}. */
export function entrySubject(key: string): string {
  return `$O.${CLAIM_BUCKET}.M.${paddedBase64Url(Buffer.from(key))}`;
}

/** The key of an object from the subject of its entry. */
export function keyOfEntry(subject: string): string {
  return Buffer.from(subject.split('.').at(-1) ?? '', 'base64url').toString();
}

function chunkSubject(nuid: string): string {
  return `$O.${CLAIM_BUCKET}.C.${nuid}`;
}

function parseEntry(bytes: Uint8Array): z.infer<typeof metaSchema> | null {
  try {
    return metaSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return null;
  }
}

/** ADR-20 wants the padding that Node's base64url leaves out. */
function paddedBase64Url(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
