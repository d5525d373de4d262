import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StoredToken } from './call-record.ts';

/** Twilio asks again when it did not get our answer, and may use either answer. */
const MAX_TOKENS = 3;

/**
 * By how much the clocks of two processes may differ: one that runs ahead would refuse every call that another answered. A token opens one
 * stream, once, and its call waits for it no longer than before.
 */
const CLOCKS_DIFFER_MS = 600_000;

/** A token as Twilio brings it back, and what is kept of it. `now` in ms since 1970: another process may judge its age. */
export function newToken(ttlMs: number, now: number): { readonly token: string; readonly stored: StoredToken } {
  const token = randomBytes(32).toString('base64url');
  return { token, stored: { hash: hashOf(token).toString('hex'), expiresAt: now + ttlMs } };
}

/** Whether a token is one of these and not too old. Hashes have one length, as a comparison in constant time needs. */
export function isValidToken(token: string, issued: readonly StoredToken[], now: number): boolean {
  const hash = hashOf(token);
  const oldest = now - CLOCKS_DIFFER_MS;
  return issued.some((each) => each.expiresAt > oldest && timingSafeEqual(Buffer.from(each.hash, 'hex'), hash));
}

/** The latest of a call's tokens. */
export function withToken(issued: readonly StoredToken[], added: StoredToken): StoredToken[] {
  return [...issued, added].slice(-MAX_TOKENS);
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
