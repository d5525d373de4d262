import { activated } from './due.ts';
import type { EndpointChange } from './endpoint.ts';
import { stopped } from './outcome.ts';

/** Pauses an endpoint until an operator resumes it. What is for it is kept; what is in flight is finished. */
export function pause(): EndpointChange<'paused' | 'already'> {
  return (endpoint, now) => {
    if (endpoint.state === 'paused' && endpoint.reason === 'operator') return { endpoint, answer: 'already' };
    return { endpoint: stopped(endpoint, 'paused', 'operator', now), answer: 'paused', notices: [{ kind: 'paused' }] };
  };
}

/**
 * `needs_test`: it stopped by itself or by the receiver's wish, so a `webhook.test` that it answers with 2xx resumes it after a cooldown of
 * 5 min. `released`: it was active and something held it back, which is over.
 */
export type Resumed = 'resumed' | 'released' | 'already' | 'needs_test';

/**
 * Makes an endpoint active and sends what waited, at a bounded rate. `force` does without a test, and ends what holds an active one back:
 * a pause that the receiver asked for with the lower rate that follows, an open breaker, the bounded rate after a pause of ours.
 */
export function resume(options: { readonly force: boolean }): EndpointChange<Resumed> {
  return (endpoint, now) => {
    if (endpoint.state === 'active') {
      const isFree = endpoint.throttle === null && endpoint.breaker === null && !endpoint.isDraining;
      if (isFree || !options.force) return { endpoint, answer: 'already' };
      const released = { ...endpoint, throttle: null, breaker: null, unanswered: 0, isDraining: false };
      return { endpoint: released, answer: 'released', notices: [{ kind: 'resumed' }] };
    }
    if (endpoint.reason !== 'operator' && !options.force) return { endpoint, answer: 'needs_test' };
    const throttle = options.force ? null : endpoint.throttle;
    const notices = [{ kind: 'resumed' as const }];
    return { endpoint: { ...activated(endpoint, now), throttle }, answer: 'resumed', notices };
  };
}
