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
 * Makes an endpoint active and sends what waited, at a bounded rate. `needs_test`: it stopped by itself or by the receiver's wish, so a
 * `webhook.test` that it answers with 2xx resumes it after a cooldown of 5 min; `force` does without.
 */
export function resume(options: { readonly force: boolean }): EndpointChange<'resumed' | 'already' | 'needs_test'> {
  return (endpoint, now) => {
    if (endpoint.state === 'active') return { endpoint, answer: 'already' };
    if (endpoint.reason !== 'operator' && !options.force) return { endpoint, answer: 'needs_test' };
    return { endpoint: activated(endpoint, now), answer: 'resumed', notices: [{ kind: 'resumed' }] };
  };
}
