import type { CallExtracted } from '@pipeline/contracts';
import { judgeNotice, type LastNotice, type UnannouncedCall } from './notice.ts';
import { inParallel } from './parallel.ts';

export type AnnounceDeps = {
  /** The time of day by the broker's clock, in milliseconds since 1970. */
  time(): Promise<number>;
  /** CallLogs that were stored in a stretch of time (milliseconds since 1970), page by page. Neither tombstones nor expired calls. */
  listStored(fromMs: number, toMs: number, signal: AbortSignal): AsyncIterable<readonly UnannouncedCall[]>;
  /** Which of these calls have a delivery. */
  announced(callSids: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** The last notice of a call in its stream. */
  lastNotice(businessId: string, callSid: string): Promise<LastNotice | null>;
  /** How far webhook-dispatcher has settled its stream. */
  settledUpTo(): Promise<number>;
  /** Resolves when the stream has the event; `messageId` null: under its own id. */
  publish(event: CallExtracted, messageId: string | null, signal: AbortSignal): Promise<void>;
};

/** Milliseconds before now between which a CallLog was stored. */
export type AnnounceRules = { readonly lookbackMs: number; readonly settleMs: number };

/** CallLogs that were looked at; that had no delivery and whose notice still waits; whose notice was published. */
export type Announced = { readonly looked: number; readonly waiting: number; readonly published: number };

const AT_ONCE = 16;

/**
 * Publishes `call.extracted` for every CallLog that has no delivery: its notice was lost with the streams. What has one, in whatever
 * state, is webhook-dispatcher's; a tombstone gets none.
 */
export async function announce(deps: AnnounceDeps, rules: AnnounceRules, signal: AbortSignal): Promise<Announced> {
  const now = await deps.time();
  let [looked, waiting, published] = [0, 0, 0];
  let settledUpTo: number | undefined;
  for await (const page of deps.listStored(now - rules.lookbackMs, now - rules.settleMs, signal)) {
    looked += page.length;
    const callSids = page.map(({ callSid }) => callSid);
    const announced = await deps.announced(callSids, signal);
    const silent = page.filter(({ callSid }) => !announced.has(callSid));
    if (silent.length > 0) settledUpTo ??= await deps.settledUpTo();
    const settled = settledUpTo ?? 0;
    await inParallel(silent, AT_ONCE, async (call) => {
      signal.throwIfAborted();
      const verdict = judgeNotice(call, await deps.lastNotice(call.businessId, call.callSid), settled, now);
      if (verdict.kind === 'wait') {
        waiting += 1;
        return;
      }
      await deps.publish(verdict.event, verdict.messageId, signal);
      published += 1;
    });
  }
  return { looked, waiting, published };
}
