import type { Stack } from '../stack/stack.ts';
import { eventually } from '../stack/stack.ts';

/** A run that takes calls as soon as they have ended, and ends itself. */
const AT_ONCE = { RECONCILE_EVERY_MS: '0', SETTLE_MS: '0' };

/** One run of reconciler as a process of its own; its exit code, null when it was killed. */
export function reconcileOnce(stack: Stack, extra: Readonly<Record<string, string>> = {}): Promise<number | null> {
  return stack.fleet.runToEnd('reconciler', { ...AT_ONCE, ...extra });
}

/** What the wide line of the last run said. */
export function lastRun(stack: Stack): Readonly<Record<string, unknown>> {
  const told = stack.lines.findLast(({ service, message }) => service === 'reconciler' && message === 'reconciled');
  if (told === undefined) throw new Error('no run of reconciler has told anything');
  return told.fields;
}

/** Waits until so much of every call has been recorded, in milliseconds of audio. */
export async function untilRecorded(stack: Stack, callSids: readonly string[], audioMs: number): Promise<void> {
  await eventually(
    `${callSids.length} calls are up, each with ${audioMs} ms of audio`,
    () => recordingsOf(stack, callSids).every((recording) => (recording?.audio.durationMs ?? 0) >= audioMs),
    60_000,
  );
}

/** Waits until the telephone company has ended every call, whatever it could tell of that. */
export async function untilEnded(stack: Stack, callSids: readonly string[]): Promise<void> {
  const isEnded = (): boolean =>
    stack.telephone.calls.every(({ callSid, endedAt }) => endedAt !== null || !callSids.includes(callSid));
  await eventually('every call has ended at Twilio', isEnded, 60_000);
}

/** The living process that answers calls. */
export function gatewayOf(stack: Stack) {
  const [gateway] = stack.fleet.of('media-gateway');
  if (gateway === undefined) throw new Error('no media-gateway is running');
  return gateway;
}

function recordingsOf(stack: Stack, callSids: readonly string[]) {
  return callSids.map((sid) => stack.telephone.calls.find(({ callSid }) => callSid === sid)?.recording);
}
