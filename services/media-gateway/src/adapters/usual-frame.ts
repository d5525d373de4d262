/** A media frame as Twilio writes it: its numbers are whole, its payload is standard base64. */
export type UsualFrame = {
  readonly sequence: number;
  readonly track: string;
  /** Milliseconds since the start of the stream. */
  readonly atMs: number;
  readonly payload: string;
  readonly streamSid: string;
};

/** Key for key in Twilio's order, and value for value in the form that each has to have. Up to 15 digits are an exact number. */
const USUAL =
  /^\{"event":"media","sequenceNumber":"(\d{1,15})","media":\{"track":"([a-z]*)","chunk":"\d*","timestamp":"(\d{1,15})","payload":"([A-Za-z0-9+/]*={0,2})"\},"streamSid":"(\w*)"\}$/;

/**
 * Reads and checks a media frame in one pass, because 50 of these come a second and call. `null` for every other text, also for one
 * that only looks like it: that is to be parsed and checked part by part, which says what is wrong with it.
 */
export function parseUsualFrame(text: string): UsualFrame | null {
  const [, sequence, track = '', at, payload = '', streamSid = ''] = USUAL.exec(text) ?? [];
  if (sequence === undefined || payload.length % 4 !== 0) return null;
  return { sequence: Number(sequence), track, atMs: Number(at), payload, streamSid };
}
