import { z } from 'zod';

/** A business's id: 1 to 64 characters of `[A-Za-z0-9_-]`, so that it is safe as a subject token and a file name. */
export const businessIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Twilio's CallSid: `CA` and 32 lower-case hexadecimal digits. The primary key of a call everywhere. */
export const callSidSchema = z.string().regex(/^CA[0-9a-f]{32}$/);

/** An instant as RFC 3339 in UTC with `Z`. */
export const instantSchema = z.iso.datetime();

/** A telephone number in E.164: `+` and 7 to 15 digits. */
export const phoneSchema = z.string().regex(/^\+[1-9][0-9]{6,14}$/);

/** The revision of a call's result: 1 for the call itself, higher for every later analysis. */
export const revisionSchema = z.int().min(1).max(1_000_000);

/** A BCP 47 language such as `he`, `en` or `ar-EG`. */
export const languageSchema = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/);

/**
 * A word of a list that grows from release to release, as failure codes do. During a rollout, and after one is taken back, a pod reads
 * words that it does not know, so readers take any word of this form; which words a writer may use is held by types.
 */
export const wordSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/);

/** The key of one extracted field: lower snake case, 1 to 64 characters. */
export const fieldKeySchema = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);
