/** Shorter values are no secrets, and taking them out would make an answer unreadable. */
const SHORTEST_SECRET = 6;
const REMOVED = '[removed]';
/** Segments of a path that everybody uses, and that answers use as words. */
const NO_SECRETS = new Set(['webhook', 'webhooks', 'webhook-test', 'callback', 'callbacks', 'incoming', 'inbound']);

/**
 * Takes out of texts of an answer what only we and the receiver should know. Receivers echo requests (a debugging page, an error report),
 * and the attempt log is read by more people than the settings. `hidden` are values of headers and the parts of the URL; what follows a
 * scheme (`Bearer ...`) is hidden by itself too, in whatever case and by whichever escapes it comes back.
 */
export function withoutEchoes(texts: readonly string[], hidden: readonly string[]): readonly string[] {
  const parts = hidden.flatMap((value) => [value, ...(value.includes(' ') ? value.split(' ') : [])]);
  const secrets = new Set(parts.filter((part) => part.length >= SHORTEST_SECRET).flatMap(spellings));
  // Most answers hold none of them, and a pattern costs more than a look.
  const all = texts.join('\n').toLowerCase();
  const echoed = [...secrets].filter((secret) => all.includes(secret.toLowerCase()));
  // The longest first: a part of a value must not hide only a part of it.
  const patterns = echoed.toSorted((a, b) => b.length - a.length).map(inAnyCase);
  return texts.map((text) => patterns.reduce((rest, pattern) => rest.replaceAll(pattern, REMOVED), text));
}

/**
 * What of a URL may be its secret. To n8n, Zapier and Make the path is one, and an error page quotes what was asked for: the path, the
 * query, and by themselves each segment, each `name=value` and each value, as they are written and as they are meant.
 */
export function partsOfUrl(text: string): readonly string[] {
  if (!URL.canParse(text)) return [text];
  const { pathname, search } = new URL(text);
  const query = search.slice(1);
  const pairs = query.split('&');
  const values = pairs.map((pair) => pair.slice(pair.indexOf('=') + 1));
  const segments = pathname.split('/').filter((segment) => !NO_SECRETS.has(decoded(segment).toLowerCase()));
  const meant = [...segments.map(decoded), ...values.map((value) => decoded(value.replaceAll('+', ' ')))];
  return [`${pathname}${search}`, pathname, query, ...pairs, ...segments, ...values, ...meant];
}

/** As it is, and as URLs, JSON and HTML write it. */
function spellings(value: string): readonly string[] {
  if (SAME_EVERYWHERE.test(value)) return [value];
  const inJson = JSON.stringify(value).slice(1, -1);
  const inHtml = value.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character] ?? character);
  return [value, encodeURIComponent(value.toWellFormed()), inJson, inJson.replaceAll('/', '\\/'), inHtml];
}

const SAME_EVERYWHERE = /^[\w.~-]*$/;
const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text with a broken escape means itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function inAnyCase(secret: string): RegExp {
  return new RegExp(secret.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), 'gi');
}
