import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseUsualFrame } from './usual-frame.ts';

const RUNS = 20_000;

/** Mostly what is there; now and then what JSON treats in its own way. */
const text = fc.string({
  unit: fc.oneof({ weight: 20, arbitrary: fc.constantFrom('A', '7', '=') }, fc.string()),
  maxLength: 12,
});
const value = fc.oneof({ weight: 30, arbitrary: text }, fc.jsonValue());
const frame = fc
  .record({ sequenceNumber: value, track: value, chunk: value, timestamp: value, payload: value, streamSid: value })
  .map(({ sequenceNumber, streamSid, ...media }) =>
    JSON.stringify({ event: 'media', sequenceNumber, media, streamSid }),
  );
/** A frame as it is, or with a few characters replaced, added or gone. */
const nearFrame = fc
  .tuple(
    frame,
    fc.option(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom('"', '\\', '{', '}', ',', ' ', '\n', '\u0001', 'é', ''))),
  )
  .map(([whole, change]) => {
    if (change === null) return whole;
    const [at, gone, added] = change;
    const index = at % (whole.length + 1);
    return whole.slice(0, index) + added + whole.slice(index + gone);
  });

test(`what is not left to JSON.parse is read as JSON.parse reads it (${RUNS} texts)`, () => {
  let taken = 0;
  fc.assert(
    fc.property(nearFrame, (whole) => {
      const parsed = parseUsualFrame(whole);
      if (parsed === null) return;
      taken += 1;
      expect(parsed).toEqual(JSON.parse(whole));
    }),
    { numRuns: RUNS },
  );
  expect(taken).toBeGreaterThan(RUNS / 5);
});

test('the frame that Twilio sends is not left to JSON.parse', () => {
  const media = { track: 'inbound', chunk: '1', timestamp: '20', payload: Buffer.alloc(160, 0xff).toString('base64') };
  const sent = { event: 'media', sequenceNumber: '3', media, streamSid: `MZ${'0'.repeat(32)}` };
  expect(parseUsualFrame(JSON.stringify(sent))).toEqual(sent);
});
