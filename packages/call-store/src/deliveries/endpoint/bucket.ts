import type { Endpoint } from './endpoint.ts';

/** What an endpoint that is active again after a pause may get in a second until it has caught up. */
export const DRAIN_PER_SECOND = 5;

type Bucket = Endpoint['bucket'];
type Rated = Pick<Endpoint, 'bucket' | 'limits' | 'throttle' | 'isDraining'>;

/** The tokens of an endpoint at an instant. A clock that jumps back adds none and takes none. */
export function refilled(endpoint: Rated, now: Date): Bucket {
  const { tokens, at } = endpoint.bucket;
  const rate = rateOf(endpoint);
  const seconds = Math.max(0, now.getTime() - at.getTime()) / 1_000;
  return { tokens: Math.min(capacityOf(rate), tokens + seconds * rate), at: at > now ? at : now };
}

/** When there is a whole token, or null when there is one already. */
export function bucketReadyAt(endpoint: Rated): Date | null {
  const { tokens, at } = endpoint.bucket;
  if (tokens >= 1) return null;
  return new Date(at.getTime() + Math.ceil(((1 - tokens) / rateOf(endpoint)) * 1_000));
}

function rateOf({ limits, throttle, isDraining }: Rated): number {
  const rate = limits.ratePerSecond * (throttle?.factor ?? 1);
  return isDraining ? Math.min(rate, DRAIN_PER_SECOND) : rate;
}

function capacityOf(rate: number): number {
  return Math.max(1, rate);
}
