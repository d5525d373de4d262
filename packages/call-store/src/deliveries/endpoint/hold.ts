import type { Endpoint } from './endpoint.ts';

/** True while only tests leave for an endpoint, or one probe at a time: it is stopped, does not answer, or has asked for a pause. */
export function isHeld(endpoint: Endpoint, now: Date): boolean {
  return endpoint.breaker !== null || sendableFrom(endpoint, now)?.getTime() !== now.getTime();
}

/** The first instant at which something that is no test may leave for an endpoint, `now` at the earliest; null until somebody resumes it. */
export function sendableFrom({ state, resumesAt, throttle, breaker }: Endpoint, now: Date): Date | null {
  const isStopped = state !== 'active';
  if (isStopped && resumesAt === null) return null;
  const ends = [isStopped ? resumesAt : null, throttle?.until ?? null, breaker?.openUntil ?? null];
  return new Date(Math.max(now.getTime(), ...ends.map((end) => end?.getTime() ?? 0)));
}
