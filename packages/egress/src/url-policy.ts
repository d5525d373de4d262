import { isIP } from 'node:net';
import type { AddressClass, AddressPolicy } from './address-policy.ts';

/** Why a URL, a header or the addresses behind a name are refused. Stable: tests and the attempt log use these words. */
export type RefusalCode =
  | 'url_invalid'
  | 'scheme_not_allowed'
  | 'userinfo_not_allowed'
  | 'ip_blocked'
  | 'ip_literal_not_allowed'
  | 'host_not_allowed'
  | 'port_not_allowed';

/** Who vouches for an origin: nobody, the operator's allow-list, or the development switch. */
export type Trust = 'none' | 'allowed' | 'development';

export type Verdict =
  | { readonly ok: true; readonly url: URL; readonly trust: Trust }
  | { readonly ok: false; readonly code: RefusalCode };

export type UrlPolicy = {
  /** Judges a URL by its text alone, without any network. */
  judgeUrl(raw: string): Verdict;
  /** Judges every address behind the URL's host: one that is not allowed condemns them all. */
  mayConnect(addresses: readonly string[], trust: Trust): boolean;
};

export type UrlRules = {
  readonly addresses: AddressPolicy;
  /** Exact origins `scheme://host[:port]` inside our own network that businesses may name. Never metadata, never loopback. */
  readonly allowedOrigins: readonly string[];
  /** Exact loopback origins for development; the configuration refuses them in production. */
  readonly devOrigins: readonly string[];
};

const DENIED_ZONES = ['localhost', 'local', 'internal', 'svc', 'cluster.local', 'home.arpa'];
const MAX_URL_CHARACTERS = 2_048;

/** Which classes of addresses an origin may lead to. */
const REACHABLE: Readonly<Record<Trust, readonly AddressClass[]>> = {
  none: ['public'],
  allowed: ['public', 'internal'],
  development: ['loopback'],
};

/** The one judge of where webhooks may go: at save, at every attempt, and for the addresses that DNS gives. */
export function createUrlPolicy(rules: UrlRules): UrlPolicy {
  const allowed = new Set(rules.allowedOrigins);
  const development = new Set(rules.devOrigins);
  const mayConnect = (addresses: readonly string[], trust: Trust): boolean =>
    addresses.every((address) => REACHABLE[trust].includes(rules.addresses.classify(address)));

  const judgeUrl = (raw: string): Verdict => {
    if (raw.length === 0 || raw.length > MAX_URL_CHARACTERS || hasUnsafeCharacter(raw)) return refuse('url_invalid');
    const url = parseHttp(raw);
    const trust = trustOf(url, allowed, development);
    if (trust === 'none' && hasOtherScheme(raw)) return refuse('scheme_not_allowed');
    if (url === null) return refuse('url_invalid');
    if (hasUserinfo(raw)) return refuse('userinfo_not_allowed');
    const literal = literalOf(url.hostname);
    if (literal !== null && !mayConnect([literal], trust)) return refuse('ip_blocked');
    if (trust !== 'none') return { ok: true, url, trust };
    if (literal !== null) return refuse('ip_literal_not_allowed');
    if (!isPublicName(url.hostname)) return refuse('host_not_allowed');
    if (url.port !== '' && url.port !== '8443') return refuse('port_not_allowed');
    return { ok: true, url, trust };
  };
  return { judgeUrl, mayConnect };
}

/** The address when a URL's host is an IP literal, without brackets, else `null`. */
export function literalOf(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
}

/** True for the exact, normalised origin of an http(s) URL and nothing more. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Headers that the transport or the signature owns; a business may not set them (nor CR, LF or other odd bytes). */
const RESERVED_HEADER =
  /^(host|content-length|content-type|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|webhook-.*)$/i;

/** True when a business may send this header beside ours. */
export function isAllowedHeader(name: string, value: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(name) && !RESERVED_HEADER.test(name) && /^[\x20-\x7e]{0,1024}$/.test(value);
}

function refuse(code: RefusalCode): Verdict {
  return { ok: false, code };
}

/** Backslashes, white space and control characters are removed or turned by the WHATWG parser, so they are judged before it. */
function hasUnsafeCharacter(raw: string): boolean {
  return /[\s\\\p{Cc}]/u.test(raw);
}

function hasOtherScheme(raw: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(raw)?.[1];
  return scheme !== undefined && scheme.toLowerCase() !== 'https';
}

/** The parsed URL when the text is `http(s)://` directly followed by a host; `https:/host` and `https:///host` are not. */
function parseHttp(raw: string): URL | null {
  return /^https?:\/\/[^/?#]/i.test(raw) && URL.canParse(raw) ? new URL(raw) : null;
}

function trustOf(url: URL | null, allowed: ReadonlySet<string>, development: ReadonlySet<string>): Trust {
  if (url === null) return 'none';
  if (development.has(url.origin)) return 'development';
  return allowed.has(url.origin) ? 'allowed' : 'none';
}

function hasUserinfo(raw: string): boolean {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(raw)?.[1] ?? '';
  return authority.includes('@');
}

/** A trailing dot, an empty or a single label, or an internal zone: a name that a resolver may complete to something of ours. */
function isPublicName(hostname: string): boolean {
  const labels = hostname.split('.');
  if (labels.length < 2 || labels.includes('')) return false;
  return !DENIED_ZONES.some((zone) => hostname === zone || hostname.endsWith(`.${zone}`));
}
