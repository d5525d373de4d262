import { Resolver } from 'node:dns/promises';
import { withinDeadline } from './deadline.ts';

/** All addresses of a name, or why there are none. Never an exception: an unresolvable name is a result. */
export type Resolution =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly code: 'dns_no_address' | 'dns_error' | 'dns_timeout' };

export type Resolve = (hostname: string, signal: AbortSignal) => Promise<Resolution>;

/** Asks for the addresses of one family; rejects with the resolver's error. `signal` gives the query up. */
export type Query = (hostname: string, family: 4 | 6, signal: AbortSignal) => Promise<string[]>;

/**
 * A resolver apart from the process's own: the name is absolute (search domains would turn one label into a cluster service)
 * and a slow zone blocks nobody else, because no lookup thread is taken. Both families are asked within one budget; when one
 * of them fails, the answers of the other are enough, since only addresses that were answered and judged are connected to.
 */
export function createResolver(options: { readonly budgetMs: number; readonly query?: Query }): Resolve {
  const query = options.query ?? queryDns;
  return async (hostname, signal) => {
    if (isLocalhost(hostname)) return { kind: 'addresses', addresses: ['127.0.0.1', '::1'] };
    const answers = await withinDeadline(
      options.budgetMs,
      (budget) =>
        Promise.allSettled(([4, 6] as const).map((family) => untilEnd(query(hostname, family, budget), budget))),
      signal,
    );
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return { kind: 'addresses', addresses };
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [failureCode(answer.reason)] : []));
    if (failures.includes('dns_timeout')) return { kind: 'failed', code: 'dns_timeout' };
    return { kind: 'failed', code: failures.includes('dns_error') ? 'dns_error' : 'dns_no_address' };
  };
}

/** RFC 6761: `localhost` never leaves the machine. Only a development origin gets this far with it. */
function isLocalhost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost');
}

async function queryDns(hostname: string, family: 4 | 6, signal: AbortSignal): Promise<string[]> {
  // One resolver a query: it can be cancelled alone, and it reads the present list of name servers.
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await (family === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** A query that does not listen to its signal must not hold up the answer. */
function untilEnd<T>(work: Promise<T>, budget: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const giveUp = (): void => reject(new DOMException('the budget is used up', 'TimeoutError'));
  if (budget.aborted) giveUp();
  budget.addEventListener('abort', giveUp, { once: true });
  work.then(resolve, reject).finally(() => budget.removeEventListener('abort', giveUp));
  return promise;
}

const NO_ADDRESS = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);
const TIMED_OUT = new Set(['ETIMEOUT', 'ECANCELLED', 'TimeoutError']);

function failureCode(error: unknown): 'dns_no_address' | 'dns_error' | 'dns_timeout' {
  if (!(error instanceof Error)) return 'dns_error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (NO_ADDRESS.has(code)) return 'dns_no_address';
  return TIMED_OUT.has(code) ? 'dns_timeout' : 'dns_error';
}
