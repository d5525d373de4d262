import { randomBytes } from 'node:crypto';

/** A mark that nobody on the telephone can say: random for each request, and drawn again should the text contain it. */
export function boundaryFor(text: string): string {
  for (;;) {
    const boundary = `call-${randomBytes(12).toString('hex')}`;
    if (!text.includes(boundary)) return boundary;
  }
}
