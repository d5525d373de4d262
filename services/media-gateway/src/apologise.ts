import { businessOf, type AnswerDeps, type RingingCall } from './answer-call.ts';

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
  readonly limits: Pick<AnswerDeps['limits'], 'transcriptionGraceMs'>;
};

/** The voice URL failed: the caller hears at least why nobody answers. */
export async function apologiseForSilence(call: RingingCall, deps: SilenceDeps, signal: AbortSignal): Promise<Apology> {
  return apologyOf('cannot_answer', await businessOf(call, deps, signal));
}

/**
 * The media stream is over and the caller is still on the line: Twilio asks for nothing when a caller has hung up. Only an agent who
 * said goodbye needs no further word. Everything else is apologised for, also when nobody can say in time how it ended: a word too
 * many harms nobody, and a caller who is cut off without one believes that it was meant.
 */
export async function apologiseForEnd(call: RingingCall, deps: EndDeps, signal: AbortSignal): Promise<Apology> {
  // Looked up meanwhile, so that its time does not add to the wait.
  const [business, end] = await Promise.all([businessOf(call, deps, signal), endOf(call.callSid, deps, signal)]);
  if (end === 'agent_hung_up') return { kind: 'nothing' };
  return apologyOf(end === 'never_began' ? 'cannot_answer' : 'broke_off', business);
}

/**
 * For the owner's publication and one look at it, after its grace: only an owner who can tell nobody how the call ended is waited for
 * so long. The caller hears nothing meanwhile.
 */
const PUBLISHED_WITHIN_MS = 2_000;

/** As `endedReason` says it; `never_began`: the media stream was refused; `null`: it is not known. */
async function endOf(callSid: string, deps: EndDeps, signal: AbortSignal): Promise<string | null> {
  const here = deps.calls.find(callSid);
  // A stream that is still open here is one whose end has not arrived yet: the agent did not end it.
  if (here !== undefined && !here.isWaiting()) return here.endReason();
  const knownWithinMs = deps.limits.transcriptionGraceMs + PUBLISHED_WITHIN_MS;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(knownWithinMs)]);
  for await (const known of deps.directory.follow(callSid, limit)) {
    if (known.kind === 'published') return known.endedReason ?? null;
    if (known.kind === 'owned' && known.record.state === 'live' && known.record.endedReason !== undefined)
      return known.record.endedReason;
    if (known.kind === 'answered') return 'never_began';
    if (known.kind === 'unknown') return null;
  }
  return null;
}

function apologyOf(notice: 'cannot_answer' | 'broke_off', business: Awaited<ReturnType<typeof businessOf>>): Apology {
  if (business === 'unknown_number') return { kind: 'say', notice: 'not_in_service', language: null };
  return { kind: 'say', notice, language: business === 'unavailable' ? null : business.language };
}
