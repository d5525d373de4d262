import { z } from 'zod';

/** `whsec_` and the base64 of 24 to 64 random bytes (Standard Webhooks). */
export const webhookSecretSchema = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/)
  .refine((secret) => {
    const bytes = decodedLength(secret.slice('whsec_'.length));
    return bytes >= 24 && bytes <= 64;
  }, 'a secret holds 24 to 64 bytes');

/**
 * One secret of a business: the text alone, valid until it is removed, or with the instant at which it stops signing. Rotation
 * gives the old secret an `expiresAt`, so that for the time of the overlap both sign. `secret` is the form of the text.
 */
export function secretEntrySchemaOf(secret: z.ZodType<string>) {
  return z.union([
    secret,
    z.strictObject({ secret, createdAt: z.iso.datetime().optional(), expiresAt: z.iso.datetime().optional() }),
  ]);
}
export type WebhookSecretEntry = z.infer<ReturnType<typeof secretEntrySchemaOf>>;

/** The text of an entry, whichever form it has. */
export function secretOf(entry: WebhookSecretEntry): string {
  return typeof entry === 'string' ? entry : entry.secret;
}

/** The same entry with another text. */
export function withSecret(entry: WebhookSecretEntry, secret: string): WebhookSecretEntry {
  return typeof entry === 'string' ? secret : { ...entry, secret };
}

/** The secrets that sign at an instant (milliseconds), newest last as they are stored: those that have not expired. */
export function activeSecrets(entries: readonly WebhookSecretEntry[], nowMs: number): string[] {
  return entries.filter((entry) => !isOver(entry, nowMs)).map(secretOf);
}

function isOver(entry: WebhookSecretEntry, nowMs: number): boolean {
  return typeof entry !== 'string' && entry.expiresAt !== undefined && Date.parse(entry.expiresAt) <= nowMs;
}

function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}
