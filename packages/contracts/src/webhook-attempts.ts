type Attempt = {
  /** For operators: what happened. */
  readonly meaning: string;
  /** For the business. All that happens before an answer is `UNREACHABLE`: see {@link publicReason}. */
  readonly shown: string;
};

const UNREACHABLE = 'The endpoint could not be reached.';
const ERROR = 'The endpoint answered with an error.';
const UNREADABLE = 'The answer of the endpoint could not be read.';
const NO_MORE = 'The endpoint asked for no more webhooks.';

/**
 * How an attempt to deliver a webhook can end: the code in the attempt log and the label of metrics, each with its words. A bounded set;
 * names are stable: append, never rename.
 */
export const WEBHOOK_ATTEMPTS = {
  delivered: { meaning: 'The endpoint answered 2xx.', shown: 'The webhook was delivered.' },
  redirect_not_followed: {
    meaning: 'The endpoint answered 3xx; redirects are never followed.',
    shown: 'The endpoint answered with a redirect. Redirects are not followed: set the final URL.',
  },
  endpoint_gone: { meaning: 'The endpoint answered 410 and is disabled.', shown: NO_MORE },
  stopped_by_receiver: { meaning: 'The endpoint answered with `webhook-delivery: disable`.', shown: NO_MORE },
  refused_by_receiver: {
    meaning: 'The endpoint answered with `webhook-delivery: abort-message`.',
    shown: 'The endpoint asked not to be sent this webhook again.',
  },
  throttled: { meaning: 'The endpoint answered 429.', shown: 'The endpoint asked to be sent less.' },
  http_4xx: {
    meaning: 'The endpoint answered another 4xx.',
    shown: 'The endpoint answered that the request is wrong (4xx).',
  },
  http_5xx: { meaning: 'The endpoint answered 5xx.', shown: ERROR },
  http_unexpected: { meaning: 'The endpoint answered with a status that no answer may have.', shown: ERROR },
  response_too_large: { meaning: 'Headers above 16 KiB, or a failure with a body above 64 KiB.', shown: UNREADABLE },
  response_invalid: { meaning: 'What came back is no HTTP.', shown: UNREADABLE },
  timeout: { meaning: 'The deadline over name, connection, TLS, headers and body passed.', shown: UNREACHABLE },
  connection_failed: { meaning: 'The connection was refused, cut or reset.', shown: UNREACHABLE },
  tls_error: {
    meaning: 'No TLS: a certificate that is expired, of another name or of nobody known.',
    shown: UNREACHABLE,
  },
  dns_no_address: { meaning: 'The name has no address.', shown: UNREACHABLE },
  dns_error: { meaning: 'The resolver failed: our side, not charged for a day.', shown: UNREACHABLE },
  dns_timeout: { meaning: 'No resolver answered in time: our side, not charged for a day.', shown: UNREACHABLE },
  ip_blocked: { meaning: 'An address behind the name is not public.', shown: UNREACHABLE },
  ip_literal_not_allowed: { meaning: 'The URL has an address in place of a name.', shown: UNREACHABLE },
  host_not_allowed: { meaning: 'The name can only be internal, or is ambiguous.', shown: UNREACHABLE },
  port_not_allowed: { meaning: 'Only ports 443 and 8443 are allowed.', shown: UNREACHABLE },
  scheme_not_allowed: { meaning: 'Only https is allowed.', shown: UNREACHABLE },
  userinfo_not_allowed: { meaning: 'The URL holds a user or a password.', shown: UNREACHABLE },
  url_invalid: { meaning: 'The URL is none that we take.', shown: UNREACHABLE },
  sender_exhausted: { meaning: 'No sockets or ports left: our side, not charged for a day.', shown: UNREACHABLE },
  internal_error: { meaning: 'An error of our own, never charged.', shown: UNREACHABLE },
} as const satisfies Record<string, Attempt>;

/** How one attempt ended. */
export type AttemptCode = keyof typeof WEBHOOK_ATTEMPTS;

/**
 * What a business may read about an attempt. A refused address, a closed port and silence read the same, so that nobody can scan
 * ports, find our addresses or question our resolver with a webhook URL.
 */
export function publicReason(code: AttemptCode): string {
  return WEBHOOK_ATTEMPTS[code].shown;
}
