/** Twilio's media frame, key for key in the order in which Twilio writes them. Its strings have nothing that JSON would escape. */
const USUAL =
  // oxlint-disable-next-line no-control-regex -- JSON strings hold no control characters
  /^\{"event":"media","sequenceNumber":"([^"\\\x00-\x1f]*)","media":\{"track":"([^"\\\x00-\x1f]*)","chunk":"([^"\\\x00-\x1f]*)","timestamp":"([^"\\\x00-\x1f]*)","payload":"([^"\\\x00-\x1f]*)"\},"streamSid":"([^"\\\x00-\x1f]*)"\}$/;

/**
 * What `JSON.parse` makes of a media frame as Twilio writes it, in half the time: 50 of these come a second and call. `null` for
 * every other text, which is then to be parsed. Nothing is checked here that `JSON.parse` would not check.
 */
export function parseUsualFrame(text: string): Readonly<Record<string, unknown>> | null {
  const parts = USUAL.exec(text);
  if (parts === null) return null;
  const [, sequenceNumber, track, chunk, timestamp, payload, streamSid] = parts;
  return { event: 'media', sequenceNumber, media: { track, chunk, timestamp, payload }, streamSid };
}
