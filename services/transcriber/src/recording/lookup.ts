import { PermanentError, RetryLaterError, type FailureCode } from '@pipeline/contracts';

/** A recording of a call as the telephone company lists it. `durationSec` and `startedAtMs` are `null` until it knows them. */
export type ListedRecording = {
  readonly sid: string;
  readonly status: string;
  readonly channels: number;
  readonly durationSec: number | null;
  readonly startedAtMs: number | null;
  /** Encrypted for a key of the account: its audio is of no use to us. */
  readonly isEncrypted: boolean;
};

/** While one recording is complete and another still pending, the other is waited for during this many attempts (about 6 minutes). */
const PATIENT_ATTEMPTS = 10;
/** Recordings of one call that are worked; more are no call of ours. */
const MAX_RECORDINGS = 20;

const GONE: ReadonlyMap<string, FailureCode> = new Map([
  ['failed', 'RECORDING_FAILED'],
  ['deleted', 'RECORDING_DELETED'],
  ['absent', 'RECORDING_ABSENT'],
]);

/**
 * Which recordings of a call are transcribed: the complete ones in order of time. Throws RetryLaterError while one is still to
 * come and PermanentError when none ever will, or none that is not encrypted. A status that we do not know counts as still to come. Of
 * a call that cannot have been recorded nothing is waited for that is not listed: one look makes sure.
 */
export function chooseRecordings(
  listed: readonly ListedRecording[],
  call: { readonly attempt: number; readonly mayBeRecorded: boolean },
): ListedRecording[] {
  if (listed.length === 0 && !call.mayBeRecorded) throw new PermanentError('RECORDING_ABSENT');
  const complete = listed.filter((row) => row.status === 'completed');
  const pending = listed.filter((row) => row.status !== 'completed' && !GONE.has(row.status));
  const isWaiting = pending.length > 0 && (complete.length === 0 || call.attempt < PATIENT_ATTEMPTS);
  if (listed.length === 0 || isWaiting) {
    throw new RetryLaterError('the recording is not there yet', { deadline: 'recording', code: 'RECORDING_NOT_FOUND' });
  }
  if (complete.length === 0) throw new PermanentError(reasonOfAbsence(listed));
  const readable = complete.filter((row) => !row.isEncrypted);
  if (readable.length === 0) throw new PermanentError('RECORDING_ENCRYPTED');
  return withoutOverlaps(readable).slice(0, MAX_RECORDINGS);
}

/** Milliseconds from the start of the first recording to the start of each, never before the end of the one before it. */
export function offsetsOf(recordings: readonly ListedRecording[]): number[] {
  const origin = recordings[0]?.startedAtMs ?? 0;
  let end = 0;
  return recordings.map((row) => {
    const offset = row.startedAtMs === null ? end : Math.max(end, row.startedAtMs - origin);
    end = offset + (row.durationSec ?? 0) * 1_000;
    return offset;
  });
}

function reasonOfAbsence(listed: readonly ListedRecording[]): FailureCode {
  const statuses = new Set(listed.map((row) => row.status));
  const [, code] = [...GONE].find(([status]) => statuses.has(status)) ?? [];
  return code ?? 'RECORDING_ABSENT';
}

/** Two recordings of the same minutes would say everything twice: the one with more channels stays, then the longer one. */
function withoutOverlaps(complete: readonly ListedRecording[]): ListedRecording[] {
  const kept: ListedRecording[] = [];
  const best = complete.toSorted((a, b) => b.channels - a.channels || (b.durationSec ?? 0) - (a.durationSec ?? 0));
  for (const row of best) if (!kept.some((other) => overlaps(row, other))) kept.push(row);
  return kept.toSorted((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0));
}

function overlaps(a: ListedRecording, b: ListedRecording): boolean {
  if (a.startedAtMs === null || b.startedAtMs === null) return true;
  const [first, second] = a.startedAtMs <= b.startedAtMs ? [a, b] : [b, a];
  // Starts and durations are whole seconds: one may seem to begin a second before the other ends.
  return (second.startedAtMs ?? 0) < (first.startedAtMs ?? 0) + ((first.durationSec ?? 0) - 1) * 1_000;
}
