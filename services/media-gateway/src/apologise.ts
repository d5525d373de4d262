import { businessOf, type AnswerDeps, type RingingCall } from './answer-call.ts';
import type { EndReason } from './call/end-reasons.ts';

/** What Twilio says in our place. `language` is the business's; `null` when nothing is known of it. */
export type Apology =
  | {
      readonly kind: 'say';
      readonly notice: 'cannot_answer' | 'broke_off' | 'not_in_service';
      readonly language: string | null;
    }
  | { readonly kind: 'nothing' };

type SilenceDeps = Pick<AnswerDeps, 'settings' | 'logger'>;
type EndDeps = SilenceDeps & {
  readonly calls: Pick<AnswerDeps['calls'], 'find'>;
  readonly directory: Pick<AnswerDeps['directory'], 'follow'>;
};

/** The voice URL failed: the caller hears at least why nobody answers. */
export function apologiseForSilence(call: RingingCall, deps: SilenceDeps, signal: AbortSignal): Promise<Apology> {
  return inLanguageOf(call, 'cannot_answer', deps, signal);
}

/**
 * We closed the media stream of a call that still stands, here or in another process. A conversation that ended by itself needs no
 * word, and neither does one of which nobody can say in time how it ended.
 */
export async function apologiseForEnd(call: RingingCall, deps: EndDeps, signal: AbortSignal): Promise<Apology> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(KNOWN_WITHIN_MS)]);
  const reason = deps.calls.find(call.callSid)?.endReason() ?? (await publishedReason(call.callSid, deps, limit));
  return UNWANTED.has(reason) ? inLanguageOf(call, 'broke_off', deps, signal) : { kind: 'nothing' };
}

/** The caller hears nothing meanwhile. */
const KNOWN_WITHIN_MS = 2_000;

/** Ends that neither side of the conversation wanted. */
const UNWANTED: ReadonlySet<string | null> = new Set<EndReason>([
  'agent_lost',
  'media_idle',
  'media_invalid',
  'congested',
  'max_duration',
  'drain',
]);

/** The process that closed the stream publishes the end within moments. */
async function publishedReason(callSid: string, deps: EndDeps, signal: AbortSignal): Promise<string | null> {
  for await (const known of deps.directory.follow(callSid, signal)) {
    if (known.kind === 'published') return known.endedReason ?? null;
    if (known.kind !== 'owned') return null;
  }
  return null;
}

async function inLanguageOf(
  call: RingingCall,
  notice: 'cannot_answer' | 'broke_off',
  deps: SilenceDeps,
  signal: AbortSignal,
): Promise<Apology> {
  const business = await businessOf(call, deps, signal);
  if (business === 'unknown_number') return { kind: 'say', notice: 'not_in_service', language: null };
  return { kind: 'say', notice, language: business === 'unavailable' ? null : business.language };
}
