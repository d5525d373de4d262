/** Shorter values are no secrets, and taking them out would make an answer unreadable. */
const SHORTEST_SECRET = 6;
const REMOVED = '[removed]';

/**
 * Takes out of an answer what only we and the receiver should know. Receivers echo requests (a debugging page, an error report), and
 * the attempt log is read by more people than the settings. `hidden` are values of headers; the part after a scheme (`Bearer ...`) is
 * hidden by itself too.
 */
export function withoutEchoes(text: string, hidden: readonly string[]): string {
  const parts = hidden.flatMap((value) => [value, ...value.split(' ')]);
  // The longest first: a part of a value must not hide only a part of it.
  const secrets = parts.filter((part) => part.length >= SHORTEST_SECRET).toSorted((a, b) => b.length - a.length);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, REMOVED), text);
}
