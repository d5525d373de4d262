/** G.711 mu-law at 8 kHz, in base64 as both sides of the bridge send it: a byte is 1/8 ms. */

/** Four characters are three bytes, so with a length in fours this is standard base64 with its padding and nothing else. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Standard base64 with its padding: what goes from one side to the other is checked, not touched. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}

/** The whole milliseconds of audio in valid base64. */
export function audioMs(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor(((base64.length / 4) * 3 - padding) / 8);
}

/** Base64 of silence, at least so long by less than 1 ms, without padding: valid base64 may follow it. */
export function silenceOf(ms: number): string {
  // Three bytes of 0xff, which is silence in mu-law, are four slashes.
  return '////'.repeat(Math.ceil((ms * 8) / 3));
}
