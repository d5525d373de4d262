import type { KeyValue } from '@pipeline/messaging';
import type { Logger } from '@pipeline/runtime';
import { z } from 'zod';
import { createBacklog, type Backlog } from './backlog.ts';
import type { CallDirectory } from './call-directory.ts';
import { inTime } from './in-time.ts';
import { createTurns } from './turns.ts';
import { pause } from './pause.ts';
import type { Presence } from './presence.ts';

/** The calls that a business has at the same time, in all processes: CallSid -> when it was answered, in seconds since 1970. */
export const businessRecordSchema = z.object({ calls: z.record(z.string(), z.number()) });
export type BusinessRecord = z.infer<typeof businessRecordSchema>;
type Places = BusinessRecord['calls'];

type RoomDeps = {
  readonly businesses: KeyValue<BusinessRecord>;
  readonly directory: Pick<CallDirectory, 'look'>;
  readonly presence: Presence;
  /** Calls of a business that this process has, or answers, since before this call. */
  readonly countBefore: (callSid: string, businessId: string) => number;
  readonly longestCallMs: number;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/** A record above it would be too large to be written at each call: 48 bytes a call. */
const MAX_SHARED = 1_000;
/**
 * Processes that answer calls of one business at the same instant get in each other's way. Forty with 6 ms to the bucket and back need
 * about a second; Twilio waits 15 s for an answer.
 */
const TRY_FOR_MS = 5_000;
const LONGEST_PAUSE_MS = 500;
const CHECK_EVERY_MS = 10_000;
/** Calls looked up in one check of a full business. */
const MAX_CHECKED = 50;

/**
 * How many calls a business may have at the same time, over all processes. Exact while the bucket can be reached, because a place is
 * taken by compare-and-set; without the bucket, and for a limit above {@link MAX_SHARED}, each process counts its own calls. Those that
 * were answered without the bucket are counted by all processes when it is there again.
 *
 * A place that nobody gave back (the process died, and no callback came) is free again when its call is known to be over, which is
 * looked at when the business is full, and after the longest call at the latest.
 */
export class BusinessRoom {
  readonly #deps: RoomDeps;
  readonly #now: () => number;
  /** Calls of this process would only take each other's revision away. */
  readonly #inTurn = createTurns();
  /** Calls that this process counted for itself and that are not written yet, so that others count them too: CallSid -> business. */
  readonly #late: Backlog<string>;
  /** Places given back and not written yet, likewise. */
  readonly #leaving: Backlog<string>;
  readonly #checkedAt = new Map<string, number>();

  constructor(deps: RoomDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    const onFailure = (callSid: string, error: unknown): void =>
      deps.logger.warn({ callSid, err: error }, 'the place of a call cannot be written yet');
    this.#late = createBacklog({ onFailure });
    this.#leaving = createBacklog({ onFailure });
    deps.presence.onBeat((signal) =>
      this.#late.work((callSid, businessId) => this.#enterLate(businessId, callSid), signal),
    );
    deps.presence.onBeat((signal) =>
      this.#leaving.work((callSid, businessId) => this.#leave(businessId, callSid), signal),
    );
  }

  /** Takes a place for a call; true also when it has one. After the signal this process counts its own. */
  async take(businessId: string, callSid: string, max: number, signal?: AbortSignal): Promise<boolean> {
    const { presence, countBefore, logger } = this.#deps;
    if (max > MAX_SHARED) return countBefore(callSid, businessId) < max;
    // Asked again when its turn has come: a bucket that hangs costs the first in the row its deadline, and nobody behind it.
    const isAskable = (): boolean => presence.isHeard() && signal?.aborted !== true;
    if (!isAskable()) return this.#takeHere(businessId, callSid, max);
    try {
      const asking = this.#inTurn(businessId, async () =>
        isAskable() ? this.#takeShared(businessId, callSid, max, signal) : null,
      );
      const hasPlace = await inTime(asking, signal);
      if (hasPlace !== null) return hasPlace;
    } catch (error) {
      logger.warn({ businessId, err: error }, 'the calls of a business cannot be counted in other gateways');
    }
    const hasPlace = this.#takeHere(businessId, callSid, max);
    // What was asked for may have been written all the same.
    if (!hasPlace) this.release(businessId, callSid);
    return hasPlace;
  }

  release(businessId: string, callSid: string): void {
    this.#late.delete(callSid);
    this.#leaving.set(callSid, businessId);
    // What fails is tried again after the next beat.
    if (this.#deps.presence.isHeard()) void this.#leave(businessId, callSid).catch(() => undefined);
  }

  /** `null` when it could not be written in time. */
  async #takeShared(businessId: string, callSid: string, max: number, signal?: AbortSignal): Promise<boolean | null> {
    let hasPlace = false;
    const change = async (calls: Places): Promise<Places | null> => {
      hasPlace = Object.hasOwn(calls, callSid);
      if (hasPlace) return null;
      const isFull = Object.keys(calls).length >= max;
      const kept = isFull ? await this.#withoutOver(businessId, calls) : calls;
      hasPlace = Object.keys(kept).length < max;
      return hasPlace ? { ...kept, [callSid]: Math.floor(this.#now() / 1_000) } : null;
    };
    return (await this.#write(businessId, change, signal)) ? hasPlace : null;
  }

  #takeHere(businessId: string, callSid: string, max: number): boolean {
    const hasPlace = this.#deps.countBefore(callSid, businessId) < max;
    if (hasPlace) this.#late.set(callSid, businessId);
    return hasPlace;
  }

  /** Even above the limit: the call is in progress. */
  async #enterLate(businessId: string, callSid: string): Promise<void> {
    const isWritten = await this.#inTurn(businessId, () =>
      this.#write(businessId, async (calls) => {
        const isCounted = Object.hasOwn(calls, callSid) || this.#late.get(callSid) === undefined;
        return isCounted ? null : { ...calls, [callSid]: Math.floor(this.#now() / 1_000) };
      }),
    );
    if (isWritten) this.#late.delete(callSid);
  }

  async #leave(businessId: string, callSid: string): Promise<void> {
    const isWritten = await this.#inTurn(businessId, () =>
      this.#write(businessId, async ({ [callSid]: at, ...others }) => (at === undefined ? null : others)),
    );
    if (isWritten) this.#leaving.delete(callSid);
  }

  /** Without the oldest places whose calls are over, although nobody gave them back. */
  async #withoutOver(businessId: string, calls: Places): Promise<Places> {
    if (this.#now() - (this.#checkedAt.get(businessId) ?? 0) < CHECK_EVERY_MS) return calls;
    this.#checkedAt.set(businessId, this.#now());
    const oldest = Object.entries(calls).toSorted(([, a], [, b]) => a - b);
    const kept = { ...calls };
    for (const [callSid] of oldest.slice(0, MAX_CHECKED))
      if ((await this.#deps.directory.look(callSid)).kind === 'published') delete kept[callSid];
    return kept;
  }

  /** Writes what `change` makes of the places of a business; null leaves them. False when others were always faster. */
  async #write(
    businessId: string,
    change: (calls: Places) => Promise<Places | null>,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { businesses, longestCallMs } = this.#deps;
    const key = `business.${businessId}`;
    const until = performance.now() + TRY_FOR_MS;
    for (let attempt = 1; performance.now() < until; attempt += 1) {
      if (signal?.aborted === true) return false;
      const entry = await businesses.get(key);
      const oldest = (this.#now() - longestCallMs) / 1_000;
      const living = Object.entries(entry?.value.calls ?? {}).filter(([, at]) => at > oldest);
      const calls = await change(Object.fromEntries(living));
      if (calls === null) return true;
      const written =
        entry === null ? businesses.create(key, { calls }) : businesses.update(key, { calls }, entry.revision);
      if ((await written) !== null) return true;
      await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, 20 * attempt));
    }
    return false;
  }
}
