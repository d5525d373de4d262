import { setTimeout as delay } from 'node:timers/promises';
import type { CallLogReader } from '@pipeline/call-store/call-log';

/** Milliseconds between two looks. */
const LOOK_MS = 200;

/** Waits for the tombstone of a call, at most so many milliseconds; false when there is none by then. */
export async function untilErased(
  reader: Pick<CallLogReader, 'kinds'>,
  callSid: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const until = performance.now() + waitMs;
  for (;;) {
    if ((await reader.kinds([callSid], signal)).get(callSid) === 'erased') return true;
    if (performance.now() >= until) return false;
    await delay(LOOK_MS, undefined, { signal });
  }
}
