import { createHash, randomBytes } from 'node:crypto';
import { headers, JsHeaders, type JetStreamClient, type JetStreamManager, type MsgRequest, type StoredMsg } from 'nats';
import { z } from 'zod';
import { CLAIM_BUCKET } from '@pipeline/contracts';
import { apiErrorNumber, isNotFound } from './broker-error.ts';
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
  /** Stores bytes under a new key. One try; throws what the broker throws, and takes back what was written until then. */
  put(owner: ClaimOwner, bytes: Uint8Array): Promise<ClaimReference>;
  /** Frees the room of an object that no message refers to. One try; throws what the broker throws. */
  remove(reference: ClaimReference): Promise<void>;
  /** Reads and verifies. One try; throws what the broker throws. */
  get(reference: ClaimReference): Promise<ClaimContent>;
};

const CHUNK_BYTES = 128 * 1_024;
/** Half-written objects that are remembered until the broker takes them back; beyond it they stay until their age removes them. */
const MAX_LEFTOVERS = 1_000;

/** Between business and name in the subject of chunks: neither has it. */
const KEY_SEPARATOR = '~';

const metaSchema = z.object({ nuid: z.string().min(1).max(200), deleted: z.boolean().optional() });

/**
 * Large events in a JetStream object bucket, in the layout of the Object Store (ADR-20), so that its tools can read them.
 *
 * Not the client's own object store, for three reasons: its reader makes an ephemeral consumer, a right that services do not
 * have; it never settles when chunks are gone; and it would create a missing bucket. Reads go to the stream's leader, message by
 * message, each with a deadline, because a replica that lags would make a fresh object look missing.
 * The whole key stands in the subject of the chunks, its call as a token of its own, so that erasing a call finds them even if their entry
 * was never written, and the entry, whose own subject tells no filter anything, by them.
 * Services may not purge. A roll-up, an empty message that replaces all others of its subject, frees the room as well, and a
 * bucket that has none for the next chunk still has some for it.
 */
export function createClaimStore({ js, jsm, config }: Connection): ClaimStore {
  const leftovers = createLeftovers(js);
  return {
    put: async ({ businessId, callSid, label }, bytes) => {
      await leftovers.sweep();
      const random = randomBytes(8).toString('hex');
      const key = `${businessId}/${callSid}/${label}-${random}`;
      let written = 0;
      try {
        for (; written < bytes.length; written += CHUNK_BYTES) {
          await js.publish(chunkSubject(nuidOf(key)), bytes.subarray(written, written + CHUNK_BYTES));
        }
        const digest = createHash('sha256').update(bytes).digest();
        await rollUp(js, entrySubject(key), entryOf(key, bytes.length, digest));
        const expiresAt = new Date(Date.now() + claimTtlMs(config)).toISOString();
        return { bucket: CLAIM_BUCKET, key, sha256: digest.toString('hex'), bytes: bytes.length, expiresAt };
      } catch (error) {
        const isNothingThere = written === 0 && apiErrorNumber(error) !== undefined;
        if (!isNothingThere) leftovers.add(nuidOf(key));
        await leftovers.sweep();
        throw error;
      }
    },
    get: (reference) => readObject(jsm, reference),
    remove: async ({ key }) => {
      await rollUp(js, chunkSubject(nuidOf(key)), '');
      await rollUp(js, entrySubject(key), JSON.stringify({ ...identityOf(key), size: 0, chunks: 0, deleted: true }));
    },
  };
}

/** The chunks of failed puts. What the broker does not take back now is tried again before the next put. */
function createLeftovers(js: JetStreamClient) {
  const nuids = new Set<string>();
  return {
    add: (nuid: string): void => {
      if (nuids.size < MAX_LEFTOVERS) nuids.add(nuid);
    },
    sweep: async (): Promise<void> => {
      for (const nuid of nuids) {
        try {
          await rollUp(js, chunkSubject(nuid), '');
          nuids.delete(nuid);
        } catch {
          return;
        }
      }
    },
  };
}

async function readObject(jsm: JetStreamManager, reference: ClaimReference): Promise<ClaimContent> {
  const entry = await readMessage(jsm, { last_by_subj: entrySubject(reference.key) });
  if (entry === null) return { kind: 'missing' };
  const meta = parseEntry(entry.data);
  if (meta === null) return { kind: 'corrupt' };
  if (meta.deleted === true) return { kind: 'missing' };
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let seq = 1; size < reference.bytes;) {
    const query = { seq, next_by_subj: chunkSubject(meta.nuid) };
    const chunk = await readMessage(jsm, query);
    if (chunk === null) return { kind: 'missing' };
    parts.push(chunk.data);
    size += chunk.data.length;
    seq = chunk.seq + 1;
    if (chunk.data.length === 0) return { kind: 'corrupt' };
  }
  const bytes = Buffer.concat(parts);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return digest === reference.sha256 ? { kind: 'found', bytes } : { kind: 'corrupt' };
}

async function readMessage(jsm: JetStreamManager, query: MsgRequest): Promise<StoredMsg | null> {
  try {
    return await jsm.streams.getMessage(CLAIM_STREAM, query);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** The subject that matches all chunks of a call, for erasure. */
export function callChunks(callSid: string): string {
  return chunkSubject(`${callSid}.*`);
}

/** The key of an object from the subject of its chunks; null for one that does not tell it. */
export function keyOfChunk(subject: string): string | null {
  const [callSid, tail] = subject.split('.').slice(-2);
  const [businessId, name] = tail?.split(KEY_SEPARATOR) ?? [];
  return name === undefined ? null : `${businessId}/${callSid}/${name}`;
}

/** The subject of an object's entry. The key is readable in it: {@link keyOfEntry}. */
export function entrySubject(key: string): string {
  return `$O.${CLAIM_BUCKET}.M.${paddedBase64Url(Buffer.from(key))}`;
}

/** The key of an object from the subject of its entry. */
export function keyOfEntry(subject: string): string {
  return Buffer.from(subject.split('.').at(-1) ?? '', 'base64url').toString();
}

/** Replaces everything on a subject by one message. */
async function rollUp(js: JetStreamClient, subject: string, body: string): Promise<void> {
  const rollup = headers();
  rollup.set(JsHeaders.RollupHdr, JsHeaders.RollupValueSubject);
  await js.publish(subject, Buffer.from(body), { headers: rollup });
}

function entryOf(key: string, size: number, digest: Buffer): string {
  return JSON.stringify({
    ...identityOf(key),
    size,
    chunks: Math.ceil(size / CHUNK_BYTES),
    digest: `SHA-256=${paddedBase64Url(digest)}`,
    options: { max_chunk_size: CHUNK_BYTES },
  });
}

function identityOf(key: string) {
  return { name: key, bucket: CLAIM_BUCKET, nuid: nuidOf(key) };
}

/** The parts of a key with the call in front: see {@link ClaimOwner}. At most 160 characters. */
function nuidOf(key: string): string {
  const [businessId, callSid, name] = key.split('/');
  return `${callSid}.${businessId}${KEY_SEPARATOR}${name}`;
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
