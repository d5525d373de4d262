import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACCOUNT_SID, STREAM_SID } from '../testing/examples.ts';
import { frames } from '../testing/twilio.ts';
import { createFrameReader, MediaProtocolError, type FrameReader } from './media-frames.ts';
import { parseUsualFrame } from './usual-frame.ts';

const RUNS = 5_000;

const or = (usual: fc.Arbitrary<string>, ...others: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 20, arbitrary: usual }, ...others.map((arbitrary) => ({ weight: 1, arbitrary })));
const count = fc.nat(40).map(String);
const digits = fc.stringMatching(/^-?\d{1,17}$/);
const base64 = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const frame = fc
  .record({
    sequenceNumber: or(count, digits, fc.jsonValue()),
    track: or(fc.constant('inbound'), fc.constantFrom('outbound', '', 'é'), fc.jsonValue()),
    chunk: or(count, fc.string(), fc.jsonValue()),
    timestamp: or(
      count.map((n) => String(Number(n) * 20)),
      digits,
      fc.jsonValue(),
    ),
    payload: or(base64, fc.stringMatching(/^[A-Za-z0-9+/=_-]{0,9}$/), fc.jsonValue()),
    streamSid: or(fc.constant(STREAM_SID), fc.string(), fc.jsonValue()),
  })
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

function startedReader(): FrameReader {
  const reader = createFrameReader(ACCOUNT_SID);
  for (const first of [frames.connected, frames.start('token')]) reader.read(JSON.stringify(first));
  return reader;
}

/** What the reader says to each frame, up to the one that ends the stream. */
function saidTo(texts: readonly string[]): unknown[] {
  const reader = startedReader();
  const said: unknown[] = [];
  for (const text of texts) {
    try {
      said.push(reader.read(text));
    } catch (error) {
      if (!(error instanceof MediaProtocolError)) throw error;
      return [...said, error.reason];
    }
  }
  return said;
}

test(`a frame that is read in one pass is read as JSON.parse and the checks would (${RUNS} streams)`, () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(nearFrame, { minLength: 1, maxLength: 8 }), (texts) => {
      taken += texts.filter((text) => parseUsualFrame(text) !== null).length;
      // JSON allows a space in front, the usual frame has none.
      const spaced = texts.map((text) => ` ${text}`);
      expect(spaced.map(parseUsualFrame)).toEqual(spaced.map(() => null));
      expect(saidTo(texts)).toEqual(saidTo(spaced));
    }),
    { numRuns: RUNS },
  );
  expect(taken).toBeGreaterThan(RUNS / 3);
});

test('the frame that Twilio sends is read in one pass', () => {
  const payload = Buffer.alloc(160, 0xff).toString('base64');
  const media = { track: 'inbound', chunk: '1', timestamp: '20', payload };
  const sent = { event: 'media', sequenceNumber: '3', media, streamSid: STREAM_SID };
  const read = { sequence: 3, track: 'inbound', atMs: 20, payload, streamSid: STREAM_SID };
  expect(parseUsualFrame(JSON.stringify(sent))).toEqual(read);
});
