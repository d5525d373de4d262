import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header carries the key as a bearer token. */
export function isAuthorized(header: string | undefined, apiKey: string): boolean {
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${apiKey}`));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
