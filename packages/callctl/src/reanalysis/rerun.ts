import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredCall } from '@pipeline/call-store/call-log';
import type { BusinessSettings, CallLog, OutboundEvent } from '@pipeline/contracts';
import { differenceOf, type Difference } from './difference.ts';
import { obstacleOf, reanalysisEvent, type Obstacle, type Start } from './event.ts';

/** How one call went: not started, asked for and stored again, or asked for and not there in time. */
export type Outcome =
  | { readonly kind: 'skipped'; readonly callSid: string; readonly why: Obstacle | Gone }
  | { readonly kind: 'stored'; readonly callSid: string; readonly revision: number; readonly difference: Difference }
  /** A part failed that was made again: `codes` are the reasons. `stands`: what was stored before is stored still. */
  | {
      readonly kind: 'failed';
      readonly callSid: string;
      readonly revision: number;
      readonly codes: readonly string[];
      readonly stands: boolean;
    }
  | { readonly kind: 'waiting'; readonly callSid: string; readonly revision: number };

/** Why a call is no candidate. */
export type Gone = 'not_stored' | 'erased' | 'expired' | 'other_business' | 'no_settings';

export type RerunDeps = {
  find(callSid: string, signal: AbortSignal): Promise<StoredCall>;
  settings(businessId: string, signal: AbortSignal): Promise<BusinessSettings | null>;
  publish(event: OutboundEvent, signal: AbortSignal): Promise<void>;
  /** Resolves when the next call may be sent on its way. */
  pace(signal: AbortSignal): Promise<void>;
};

export type RerunOptions = {
  readonly from: Start;
  readonly notify: boolean;
  /** Only calls of this business. */
  readonly businessId: string | null;
  /** Milliseconds to wait for the new revision of one call. */
  readonly waitMs: number;
};

const LOOK_MS = 500;

/** What is to be worked again, or why it is not. */
export type Candidate =
  | { readonly kind: 'ready'; readonly callLog: CallLog; readonly settings: BusinessSettings }
  | { readonly kind: 'skipped'; readonly callSid: string; readonly why: Obstacle | Gone };

/** Looks at a stored call and says whether it can be worked again. Changes nothing. */
export async function candidateOf(
  callSid: string,
  options: Pick<RerunOptions, 'from' | 'businessId'>,
  deps: Pick<RerunDeps, 'find' | 'settings'>,
  signal: AbortSignal,
): Promise<Candidate> {
  const skipped = (why: Obstacle | Gone): Candidate => ({ kind: 'skipped', callSid, why });
  const found = await deps.find(callSid, signal);
  if (found.kind === 'none') return skipped('not_stored');
  if (found.kind !== 'call') return skipped(found.kind);
  const { callLog } = found;
  if (options.businessId !== null && callLog.businessId !== options.businessId) return skipped('other_business');
  const obstacle = obstacleOf(callLog, options.from);
  if (obstacle !== null) return skipped(obstacle);
  const settings = await deps.settings(callLog.businessId, signal);
  return settings === null ? skipped('no_settings') : { kind: 'ready', callLog, settings };
}

/** Sends one call through the stages again and waits for what it became. */
export async function rerun(
  callSid: string,
  options: RerunOptions,
  deps: RerunDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const candidate = await candidateOf(callSid, options, deps, signal);
  if (candidate.kind === 'skipped') return candidate;
  await deps.pace(signal);
  const { callLog, settings } = candidate;
  const { from, notify } = options;
  const event = reanalysisEvent(callLog, { from, settings, notify, now: new Date() });
  await deps.publish(event, signal);
  const until = performance.now() + options.waitMs;
  while (performance.now() < until) {
    const found = await deps.find(callSid, signal);
    if (found.kind === 'erased' || found.kind === 'expired') return { kind: 'skipped', callSid, why: found.kind };
    if (found.kind === 'call' && found.callLog.revision >= event.revision) {
      const { revision } = found.callLog;
      const codes = failuresOf(found.callLog);
      if (codes.length > 0)
        return { kind: 'failed', callSid, revision, codes, stands: found.callLog.failed_revision !== undefined };
      return { kind: 'stored', callSid, revision, difference: differenceOf(callLog, found.callLog) };
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
  return { kind: 'waiting', callSid, revision: event.revision };
}

/** Why parts of the last revision failed, whether or not it replaced the one before. */
function failuresOf({ failed_revision: failed, stages }: CallLog): string[] {
  const { summarizer, extractor } = (failed ?? { stages }).stages;
  return Object.entries({ summarizer, extractor }).flatMap(([stage, part]) =>
    part === undefined || part.state === 'done' ? [] : [`${stage} ${part.code ?? part.state}`],
  );
}
