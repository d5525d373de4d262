import { z } from 'zod';

/** Bytes of a key: AES-256. */
const KEY_BYTES = 32;
const MAX_KEYS = 10;
/** Fewer different bytes than this are no random key: 32 random ones have that few once in 10^20. */
const MIN_DISTINCT_BYTES = 12;
const ENTRY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/** How entries with keys begin that anybody can read in a repository: refused when NODE_ENV is production. */
const EXAMPLE_ID = /^(dev|example|test|local)[-:]/;

type Keys = readonly { readonly id: string; readonly key: Uint8Array }[];

/** The keys that seal webhook secrets in the database: `callctl` seals with the first, webhook-dispatcher opens with any. */
export const settingsKeysVariables = {
  /**
   * `<id>:<base64 of 32 random bytes>`, comma separated. The first key seals, every key opens: a new one is put first, then
   * `callctl settings rekey` is run, then the old one is taken out. No default.
   */
  SETTINGS_KEYS: z.string().transform((text, context): Keys => {
    const entries = text.split(',').map((entry) => ENTRY.exec(entry.trim()));
    const keys = entries.flatMap((entry) => (entry === null ? [] : [keyOf(entry)]));
    const problem = problemOf(keys, entries.length);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return keys;
  }),
} as const;

/** Whether a value of `SETTINGS_KEYS` holds a key that is no secret. */
export function hasExampleKey(text: string): boolean {
  return text.split(',').some((entry) => EXAMPLE_ID.test(entry.trim()));
}

function keyOf([, id = '', base64 = '']: RegExpExecArray): Keys[number] {
  return { id, key: Buffer.from(base64, 'base64') };
}

function problemOf(keys: Keys, entries: number): string | null {
  if (keys.length < entries || entries > MAX_KEYS || keys.some(({ key }) => key.length !== KEY_BYTES)) {
    return `must be 1 to ${MAX_KEYS} of <id>:<base64 of ${KEY_BYTES} bytes>, comma separated`;
  }
  if (new Set(keys.map(({ id }) => id)).size < keys.length) return 'must not name two keys alike';
  const isWeak = keys.some(({ key }) => new Set(key).size < MIN_DISTINCT_BYTES);
  return isWeak ? 'holds a key that is not random; make one with: openssl rand -base64 32' : null;
}
