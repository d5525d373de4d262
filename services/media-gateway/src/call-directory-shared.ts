import { BrokerError, type Entry, type KeyValue } from '@pipeline/messaging';
import type { Logger } from '@pipeline/runtime';
import { knownOf, type CallDirectory, type KnownCall } from './call-directory.ts';
import {
  answeredRecord,
  keyOfCall,
  type AnsweredRecord,
  type CallFacts,
  type CallRecord,
  type OwnedRecord,
  type RefusedRecord,
  type StoredToken,
} from './call-record.ts';
import type { CallPlan } from './call/call.ts';
import { isValidToken, newToken, withToken } from './call-tokens.ts';
import { followOwner } from './follow-owner.ts';
import { inTime } from './in-time.ts';
import { createLateRecords, type LateRecords } from './late-records.ts';
import { pause } from './pause.ts';
import type { Presence } from './presence.ts';
import { createTurns } from './turns.ts';

type DirectoryDeps = {
  readonly records: KeyValue<CallRecord>;
  readonly presence: Presence;
  readonly tokenTtlMs: number;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/** What becomes of a record: it is moved on and then `done`, or it stays and that is the answer. */
type Move<R> = { readonly write: CallRecord; readonly done: R } | { readonly answer: R };

const TAKEN_EVERY_MS = 500;
/** Each lost race means that somebody else moved the record on, which can happen three times. */
const TRIES = 5;

/**
 * The directory in a bucket that all processes share; every move of a record is a compare-and-set.
 *
 * While the bucket cannot be reached, a call that was answered here can still be carried here: its tokens are known in memory, and
 * its record is written when the bucket is back. Only an end without a media stream waits for the bucket.
 */
export class SharedDirectory implements CallDirectory {
  readonly #records: KeyValue<CallRecord>;
  readonly #presence: Presence;
  readonly #late: LateRecords;
  readonly #tokenTtlMs: number;
  readonly #now: () => number;
  readonly #inTurn = createTurns();
  /** Calls answered here, with their tokens, until their stream opens here or they are forgotten. */
  readonly #answered = new Map<string, AnsweredRecord>();

  constructor({ records, presence, tokenTtlMs, logger, now = Date.now }: DirectoryDeps) {
    this.#records = records;
    this.#presence = presence;
    this.#tokenTtlMs = tokenTtlMs;
    this.#now = now;
    this.#late = createLateRecords(records, logger);
    presence.onBeat(this.#late.write);
  }

  async register(plan: CallPlan, signal?: AbortSignal): Promise<string | null> {
    const { token, stored } = newToken(this.#tokenTtlMs, this.#now());
    const record = answeredRecord(plan, stored);
    this.#answered.set(plan.callSid, record);
    return this.#issue(plan.callSid, { token, stored, record }, signal);
  }

  async renewToken(callSid: string, signal?: AbortSignal): Promise<string | null> {
    const { token, stored } = newToken(this.#tokenTtlMs, this.#now());
    const own = this.#answered.get(callSid);
    if (own === undefined) return this.#issue(callSid, { token, stored, record: null }, signal);
    const record = { ...own, tokens: withToken(own.tokens, stored) };
    this.#answered.set(callSid, record);
    return this.#issue(callSid, { token, stored, record }, signal);
  }

  async noteRefused(callSid: string, facts: CallFacts): Promise<void> {
    const refused = { state: 'refused', facts } as const;
    // What cannot be noted is found by the reconciler.
    await this.#move<null>(callSid, (record) =>
      record === null ? { write: refused, done: null } : { answer: null },
    ).catch(() => null);
  }

  async look(callSid: string): Promise<KnownCall> {
    const late = this.#late.find(callSid);
    if (late?.state === 'published') return knownOf(late);
    try {
      return knownOf((await this.#read(callSid))?.value ?? null);
    } catch {
      return { kind: 'away' };
    }
  }

  follow(callSid: string, signal: AbortSignal): AsyncGenerator<KnownCall> {
    return followOwner(() => this.look(callSid), this.#presence, signal);
  }

  openStream(callSid: string, token: string): Promise<AnsweredRecord | null> {
    return this.#inTurn(callSid, async () => {
      try {
        const record = await this.#openShared(callSid, token);
        if (record !== null) this.forget(callSid);
        return record;
      } catch {
        return this.#openUnshared(callSid, token);
      }
    });
  }

  async untilTaken(callSid: string, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const known = await this.look(callSid);
      const isElsewhere = known.kind === 'owned' && known.record.owner !== this.#presence.id;
      if (isElsewhere || known.kind === 'published') return true;
      await pause(TAKEN_EVERY_MS, signal);
    }
    return false;
  }

  claimEnd(callSid: string, facts: CallFacts): Promise<boolean> {
    return this.#move<boolean>(callSid, (record) => {
      if (record === null || !hasOwner(record)) return { write: this.#owned('ending', facts), done: true };
      return { answer: record.state !== 'published' && record.owner === this.#presence.id };
    });
  }

  takeOver(callSid: string, owner: string): Promise<boolean> {
    return this.#move<boolean>(callSid, (record) => {
      if (record === null || !hasOwner(record) || record.state === 'published') return { answer: false };
      if (record.owner !== owner) return { answer: false };
      return { write: this.#owned('ending', record.facts), done: true };
    });
  }

  async noteEnd(callSid: string, endedReason: string): Promise<void> {
    // Whoever could not be told waits until the end is published.
    await this.#move<null>(callSid, (record) =>
      record?.state === 'live' && record.owner === this.#presence.id
        ? { write: { ...record, endedReason }, done: null }
        : { answer: null },
    ).catch(() => null);
  }

  async markPublished(callSid: string, endedReason?: string): Promise<void> {
    const record = { state: 'published', ...(endedReason === undefined ? {} : { endedReason }) } as const;
    // From now on this process knows it, whether or not the others can be told yet.
    this.#answered.delete(callSid);
    this.#late.add(callSid, record);
    if (!this.#presence.isHeard()) return;
    await this.#records.put(keyOfCall(callSid), record).then(
      () => this.#late.forget(callSid),
      () => undefined,
    );
  }

  forget(callSid: string): void {
    this.#answered.delete(callSid);
    if (this.#late.find(callSid)?.state === 'answered') this.#late.forget(callSid);
  }

  async #issue(
    callSid: string,
    issued: { readonly token: string; readonly stored: StoredToken; readonly record: AnsweredRecord | null },
    signal?: AbortSignal,
  ): Promise<string | null> {
    try {
      const isAdded = await inTime(this.#addToken(callSid, issued.record, issued.stored), signal);
      if (!isAdded) this.forget(callSid);
      return isAdded ? issued.token : null;
    } catch {
      if (issued.record === null) return null;
      this.#late.add(callSid, issued.record);
      return issued.token;
    }
  }

  #addToken(callSid: string, fresh: AnsweredRecord | null, stored: StoredToken): Promise<boolean> {
    return this.#move<boolean>(callSid, (record) => {
      if (record === null) return fresh === null ? { answer: false } : { write: fresh, done: true };
      if (record.state !== 'answered') return { answer: false };
      if (record.tokens.some((token) => token.hash === stored.hash)) return { answer: true };
      return { write: { ...record, tokens: withToken(record.tokens, stored) }, done: true };
    });
  }

  #openShared(callSid: string, token: string): Promise<AnsweredRecord | null> {
    let asked: AnsweredRecord | null = null;
    return this.#move<AnsweredRecord | null>(callSid, (record) => {
      // A write that seemed to fail and did not: nobody else has this process's id, and here it is this stream's turn.
      if (asked !== null && record?.state === 'live' && record.owner === this.#presence.id) return { answer: asked };
      const given = record ?? this.#answered.get(callSid);
      const isGiven = given?.state === 'answered' && isValidToken(token, given.tokens, this.#now());
      if (!isGiven) return { answer: null };
      asked = given;
      return { write: this.#owned('live', given.facts), done: given };
    });
  }

  /** The bucket cannot be asked: only a call that was answered here is known. */
  #openUnshared(callSid: string, token: string): AnsweredRecord | null {
    const record = this.#answered.get(callSid);
    if (record === undefined || !isValidToken(token, record.tokens, this.#now())) return null;
    this.#answered.delete(callSid);
    this.#late.add(callSid, this.#owned('live', record.facts));
    return record;
  }

  #owned(state: 'live' | 'ending', facts: CallFacts): OwnedRecord {
    return { state, facts, owner: this.#presence.id };
  }

  /** A bucket that hangs costs its deadline once, not at every question: it is asked again when a beat has come through. */
  async #read(callSid: string): Promise<Entry<CallRecord> | null> {
    if (!this.#presence.isHeard()) throw new BrokerError('the calls of other gateways cannot be asked for');
    return this.#records.get(keyOfCall(callSid));
  }

  /** Moves a record on, whatever races with it. Rejected when the bucket cannot be asked. */
  async #move<R>(callSid: string, next: (record: CallRecord | null) => Move<R>): Promise<R> {
    const key = keyOfCall(callSid);
    let failure: unknown = null;
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const entry = await this.#read(callSid);
      const step = next(entry?.value ?? null);
      if ('answer' in step) return step.answer;
      const { write } = step;
      try {
        const written =
          entry === null ? this.#records.create(key, write) : this.#records.update(key, write, entry.revision);
        if ((await written) !== null) return step.done;
      } catch (error) {
        // It may have been stored all the same, so the record is looked at once more.
        if (failure !== null) throw error;
        failure = error;
      }
    }
    throw new BrokerError('the record of a call keeps changing', { cause: failure });
  }
}

/** A call that has an owner, or had one and is published. */
function hasOwner(record: CallRecord): record is Exclude<CallRecord, AnsweredRecord | RefusedRecord> {
  return record.state !== 'answered' && record.state !== 'refused';
}
