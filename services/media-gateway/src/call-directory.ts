import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * What all processes behind one public URL have to agree on about a call: the webhook, the media stream and the status callback of one
 * call are three requests and may reach three processes.
 */
export type CallDirectory = {
  /** A token that opens the media stream of this call, once and soon. */
  issueToken(callSid: string): Promise<string>;
  /** True for a token of this very call that was not used before and is not too old; all tokens of the call are used up by it. */
  redeemToken(callSid: string, token: string): Promise<boolean>;
  /** `call.ended` of this call is stored. */
  markPublished(callSid: string): Promise<void>;
  isPublished(callSid: string): Promise<boolean>;
};

type Limits = {
  readonly tokenTtlMs: number;
  /** Calls remembered after their end, so that a replayed request starts nothing. The oldest is forgotten first. */
  readonly maxPublished: number;
};

/** Twilio asks again when it did not get our answer, and may use either answer. */
const MAX_TOKENS = 3;

/** The directory of a single process, in memory. `now` in milliseconds of a clock that never runs backwards. */
export function createMemoryDirectory(limits: Limits, now: () => number = () => performance.now()): CallDirectory {
  const tokens = new Map<string, { hash: Buffer; expiresAt: number }[]>();
  const published = new Set<string>();

  const forgetExpired = (): void => {
    for (const [callSid, issued] of tokens) {
      if (issued.some((token) => token.expiresAt > now())) return;
      tokens.delete(callSid);
    }
  };

  return {
    issueToken: async (callSid) => {
      forgetExpired();
      const token = randomBytes(32).toString('base64url');
      const issued = [...(tokens.get(callSid) ?? []), { hash: hashOf(token), expiresAt: now() + limits.tokenTtlMs }];
      tokens.set(callSid, issued.slice(-MAX_TOKENS));
      return token;
    },
    redeemToken: async (callSid, token) => {
      const hash = hashOf(token);
      const valid = (tokens.get(callSid) ?? []).filter((issued) => issued.expiresAt > now());
      const isKnown = valid.some((issued) => timingSafeEqual(issued.hash, hash));
      if (isKnown) tokens.delete(callSid);
      return isKnown;
    },
    markPublished: async (callSid) => {
      tokens.delete(callSid);
      published.add(callSid);
      for (const oldest of published) {
        if (published.size <= limits.maxPublished) return;
        published.delete(oldest);
      }
    },
    isPublished: async (callSid) => published.has(callSid),
  };
}

/** Hashes have one length, which is what a comparison in constant time needs. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
