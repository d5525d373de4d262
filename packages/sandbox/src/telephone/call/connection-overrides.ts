/** Why one try of a webhook brought nothing: an answer of that class, no connection, or no answer over it. */
export type TryFailure = '4xx' | '5xx' | 'ct' | 'rt';

/** How Twilio asks one URL. */
export type ConnectionOverrides = {
  /** Milliseconds for the connection, for an answer over it, and for all tries together. */
  readonly connectMs: number;
  readonly readMs: number;
  readonly totalMs: number;
  /** Tries after the first one, and the failures after which there is one. */
  readonly retries: number;
  readonly retriedAfter: ReadonlySet<TryFailure>;
};

/** A URL's fragment that Twilio would not follow. It would say nothing: a test has to. */
export class OverrideError extends Error {
  override readonly name = 'OverrideError';
}

/**
 * Parts a webhook's URL: what is requested and signed, and what its fragment says about the connection, such as `#rc=2&rp=5xx,rt`.
 * Without a fragment there is one try, and a second one when no connection came about. Throws {@link OverrideError}.
 * Source: Twilio, "Webhooks (HTTP callbacks): Connection Overrides".
 */
export function readOverrides(whole: string): { readonly url: string; readonly overrides: ConnectionOverrides } {
  const at = whole.indexOf('#');
  if (at < 0) return { url: whole, overrides: DEFAULTS };
  const given = new Map<string, string>();
  for (const pair of whole.slice(at + 1).split('&')) {
    const [key = '', value, ...more] = pair.split('=');
    if (!KEYS.has(key) || value === undefined || more.length > 0 || given.has(key)) throw refused(pair);
    given.set(key, value);
  }
  return {
    url: whole.slice(0, at),
    overrides: {
      connectMs: numberOf(given, 'ct', 100, 10_000) ?? DEFAULTS.connectMs,
      readMs: numberOf(given, 'rt', 100, 15_000) ?? DEFAULTS.readMs,
      totalMs: numberOf(given, 'tt', 100, 15_000) ?? DEFAULTS.totalMs,
      retries: numberOf(given, 'rc', 0, 5) ?? DEFAULTS.retries,
      retriedAfter: policyOf(given.get('rp')) ?? DEFAULTS.retriedAfter,
    },
  };
}

const FAILURES: readonly TryFailure[] = ['4xx', '5xx', 'ct', 'rt'];

const DEFAULTS: ConnectionOverrides = {
  connectMs: 5_000,
  readMs: 15_000,
  totalMs: 15_000,
  retries: 1,
  retriedAfter: new Set<TryFailure>(['ct']),
};

/** The last two say from where and how Twilio connects, which means nothing on one machine. */
const KEYS: ReadonlySet<string> = new Set(['ct', 'rt', 'tt', 'rc', 'rp', 'e', 'sni']);

function numberOf(given: ReadonlyMap<string, string>, key: string, least: number, most: number): number | undefined {
  const value = given.get(key);
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value) || Number(value) < least || Number(value) > most) throw refused(`${key}=${value}`);
  return Number(value);
}

function policyOf(value: string | undefined): ReadonlySet<TryFailure> | undefined {
  if (value === undefined) return undefined;
  if (value === 'all') return new Set(FAILURES);
  return new Set(
    value.split(',').map((name) => {
      const failure = FAILURES.find((one) => one === name);
      if (failure === undefined) throw refused(`rp=${value}`);
      return failure;
    }),
  );
}

function refused(pair: string): OverrideError {
  return new OverrideError(`a connection override that Twilio does not have: ${pair}`);
}
