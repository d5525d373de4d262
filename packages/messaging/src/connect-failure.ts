import { NatsError } from 'nats';

/** What the codes of the client, of Node's sockets and of OpenSSL mean here, and where to look. */
const MEANINGS: Readonly<Record<string, string>> = {
  AUTHORIZATION_VIOLATION: 'the server refuses NATS_USER or NATS_PASSWORD',
  AUTHENTICATION_EXPIRED: 'the server says that NATS_USER has expired',
  CONNECTION_REFUSED: 'nobody listens there: the server is down, or the port of NATS_URL is another one',
  TIMEOUT: 'no answer: the port is blocked, or the server hangs',
  ETIMEDOUT: 'no answer: the port is blocked, or the server hangs',
  EHOSTUNREACH: 'no way leads there: the network or the address of NATS_URL is wrong',
  ENETUNREACH: 'no way leads there: the network or the address of NATS_URL is wrong',
  ENOTFOUND: 'the name in NATS_URL has no address',
  EAI_AGAIN: 'the resolver of names does not answer',
  SERVER_OPT_NA: 'the server has no TLS, but NATS_URL says tls://',
  ECONNRESET: 'the server closes the connection at once: it may want TLS (tls://), or speak something else',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another name than that of NATS_URL',
};
const UNTRUSTED =
  'the certificate of the server is of nobody known: NODE_EXTRA_CA_CERTS names the file of a private authority';
const UNTRUSTED_CODES = /SELF_SIGNED|UNABLE_TO_|CERT_/;

/** Why no connection comes about, as a sentence that says where to look, with the code that a search engine knows. */
export function describeConnectFailure(error: unknown): string {
  const code = codeOf(error);
  const meaning = MEANINGS[code] ?? (UNTRUSTED_CODES.test(code) ? UNTRUSTED : undefined);
  return meaning === undefined ? code : `${meaning} (${code})`;
}

function codeOf(error: unknown): string {
  if (error instanceof NatsError) return error.code;
  if (!(error instanceof Error)) return 'failed';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
