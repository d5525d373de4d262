import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { StoreError } from '../connection/errors.ts';

/** One key that seals secrets: 32 bytes for AES-256-GCM, under an id of `[A-Za-z0-9_-]`. */
export type SettingsKey = { readonly id: string; readonly key: Uint8Array };

/** Which value of which business is sealed. Bound to the sealed text, so that it opens nowhere else. */
export type SealedPlace = { readonly businessId: string; readonly purpose: string };

/** `sealed1:<id of the key>:<base64url of nonce, text and tag>`. */
const SEALED = /^sealed1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]{38,2048})$/;
export const sealedSchema = z.string().regex(SEALED);

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Whether a value is sealed already. */
export function isSealed(value: string): boolean {
  return SEALED.test(value);
}

/** The id of the key that a value is sealed with; null when it is plain. */
export function sealingKeyId(value: string): string | null {
  return SEALED.exec(value)?.[1] ?? null;
}

/** Seals a value with AES-256-GCM and a random nonce: enough for 2^32 values of one key (NIST SP 800-38D, 8.3). */
export function seal(value: string, key: SettingsKey, place: SealedPlace): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(place));
  const text = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `sealed1:${key.id}:${text.toString('base64url')}`;
}

/**
 * Opens a sealed value; one that was never sealed, from an older version, is returned as it is. Throws StoreError
 * `SECRET_UNREADABLE` when no key of the ring has the id, or the text was changed or moved.
 */
export function open(value: string, keys: readonly SettingsKey[], place: SealedPlace): string {
  const [, id, encoded] = SEALED.exec(value) ?? [];
  if (id === undefined || encoded === undefined) return value;
  const key = keys.find((one) => one.id === id);
  if (key === undefined) {
    throw unreadable(place, `is sealed with the key ${id}, which SETTINGS_KEYS does not hold`);
  }
  const text = Buffer.from(encoded, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key.key, text.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(place));
  decipher.setAuthTag(text.subarray(text.length - TAG_BYTES));
  try {
    const opened = decipher.update(text.subarray(NONCE_BYTES, text.length - TAG_BYTES));
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch (error) {
    throw unreadable(
      place,
      `does not open with the key ${id}: it is another key of that name, or the text was changed`,
      error,
    );
  }
}

function boundTo({ businessId, purpose }: SealedPlace): Buffer {
  return Buffer.from(`business_settings\n${businessId}\n${purpose}`, 'utf8');
}

function unreadable(place: SealedPlace, why: string, cause?: unknown): StoreError {
  return new StoreError('SECRET_UNREADABLE', `a ${place.purpose} of business ${place.businessId} ${why}`, cause);
}
