import type { KnownCall } from './call-directory.ts';
import { pause } from './pause.ts';
import type { Presence } from './presence.ts';

/** Three beats. */
const SILENT_MS = 6_000;
/** Between the write that makes this process the owner and the call that it makes of it, there is nothing to wait for. */
const OWN_SILENT_MS = 1_000;
const LOOK_EVERY_MS = 250;

type Heard = { readonly owner: string | null; readonly beat: number; readonly since: number };
const nobody: Heard = { owner: null, beat: 0, since: 0 };

/**
 * Looks at a call until the signal ends it, and at the beats of its owner. An owner is silent when its beat did not change for 6 s in
 * which it could be read all the time: while the bucket is away nobody can be heard, and nobody is silent.
 */
export async function* followOwner(
  look: () => Promise<KnownCall>,
  presence: Pick<Presence, 'id' | 'beatOf'>,
  signal: AbortSignal,
): AsyncGenerator<KnownCall> {
  let last = nobody;
  while (!signal.aborted) {
    const known = await look();
    const beat = known.kind === 'owned' ? await presence.beatOf(known.record.owner).catch(() => null) : null;
    if (known.kind !== 'owned' || beat === null) {
      last = nobody;
      yield known.kind === 'owned' ? { kind: 'away' } : known;
    } else {
      const { owner } = known.record;
      const isOwn = owner === presence.id;
      if (last.owner !== owner || (last.beat !== beat && !isOwn)) last = { owner, beat, since: performance.now() };
      yield { ...known, isSilent: performance.now() - last.since >= (isOwn ? OWN_SILENT_MS : SILENT_MS) };
    }
    await pause(LOOK_EVERY_MS, signal);
  }
}
