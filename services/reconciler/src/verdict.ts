import type { BusinessSettings } from '@pipeline/contracts';
import type { EndedCall } from './ended-call.ts';

/** What is found about a call, apart from what Twilio says. */
export type Facts = {
  /** In the database: nothing, a CallLog, a tombstone, or the shell that retention leaves. */
  readonly stored: 'none' | 'call' | 'erased' | 'expired';
  /**
   * Whose number it was when the call began, with the settings of today; `unreadable` when they are stored and make no sense, `doubtful` when the
   * number changed hands at just that time. Counts only while nothing is stored.
   */
  readonly owner: BusinessSettings | 'nobody' | 'doubtful' | 'unreadable';
  /** An event of it is in one of the four streams, under whatever business. Counts only for a call with an owner. */
  readonly hasEvent: boolean;
};

/**
 * What becomes of a call that Twilio has ended:
 *
 * | | |
 * |---|---|
 * | `young` | it ended a moment ago: media-gateway may be publishing it |
 * | `no_call` | a leg of another call, or one that we refused ourselves: never was a call of ours |
 * | `known` | it has a CallLog, had one, or was erased |
 * | `unowned` | nobody owned its number |
 * | `doubtful` | its number changed hands when it began: it is given to nobody rather than to the wrong one |
 * | `unreadable` | the settings of its business cannot be read: it waits until they can |
 * | `in_work` | an event of it is there, the stages have it |
 * | `stuck` | the same, but longer than any deadline of a stage: for a person, since guessing could pay twice |
 * | `missing` | nothing is there: it has to be published |
 */
export type Verdict =
  | { readonly kind: 'young' | 'no_call' | 'known' | 'unowned' | 'doubtful' | 'unreadable' | 'in_work' | 'stuck' }
  | { readonly kind: 'missing'; readonly business: BusinessSettings };
export type VerdictKind = Verdict['kind'];

/** Milliseconds, all counted from the end of a call. */
export type JudgeRules = {
  /** A call is left to media-gateway for so long. */
  readonly settleMs: number;
  /** The longest that stages may take: their deadlines together. */
  readonly stuckAfterMs: number;
};

/** What is known before anything is looked up; null when it takes facts. */
export function judgeAlone(call: EndedCall, rules: JudgeRules, now: number): Verdict | null {
  if (now - call.endedAt < rules.settleMs) return { kind: 'young' };
  return call.isChildLeg || isRefused(call) ? { kind: 'no_call' } : null;
}

/** Judges one call. A tombstone comes before everything: an erased call is never published again. */
export function judge(call: EndedCall, facts: Facts, rules: JudgeRules, now: number): Verdict {
  const early = judgeAlone(call, rules, now);
  if (early !== null) return early;
  if (facts.stored !== 'none') return { kind: 'known' };
  if (facts.owner === 'nobody') return { kind: 'unowned' };
  if (facts.owner === 'doubtful') return { kind: 'doubtful' };
  if (facts.owner === 'unreadable') return { kind: 'unreadable' };
  if (!facts.hasEvent) return { kind: 'missing', business: facts.owner };
  return { kind: now - call.endedAt > rules.stuckAfterMs ? 'stuck' : 'in_work' };
}

/**
 * Whether a call has still to reach its end, so that the watermark must not pass it. Being in a stream does not count: streams can
 * be lost.
 */
export function isOpen({ kind }: Verdict): boolean {
  switch (kind) {
    case 'missing':
    case 'in_work':
    case 'stuck':
    case 'unreadable':
    case 'young':
      return true;
    case 'no_call':
    case 'known':
    case 'unowned':
    case 'doubtful':
      return false;
  }
}

/** media-gateway refuses a caller with a busy tone, which is the only way for an inbound call to end as busy; it publishes none of them. */
function isRefused(call: EndedCall): boolean {
  return call.direction === 'inbound' && call.status === 'busy';
}
