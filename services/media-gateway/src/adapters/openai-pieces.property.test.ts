import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBySchema, readServerEvent } from './openai-shapes.ts';

const AUDIO = 'response.output_audio.delta';
const TEXT = 'response.output_audio_transcript.delta';
const RUNS = 5_000;

/** Base64 as it should be, cut, or with one character replaced. */
const base64 = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 40 }),
    cut: fc.nat(2),
    foreign: fc.option(fc.string({ minLength: 1, maxLength: 1 }), { freq: 3 }),
  })
  .map(({ bytes, cut, foreign }) => {
    const text = Buffer.from(bytes).toString('base64');
    const shortened = text.slice(0, Math.max(0, text.length - cut));
    return foreign === null ? shortened : `${shortened.slice(0, 3)}${foreign}${shortened.slice(4)}`;
  });
const itemId = fc.oneof(
  fc.constantFrom('', 'i', 'i'.repeat(200), 'i'.repeat(201), '😀'.repeat(100), `😀${'i'.repeat(199)}`),
  fc.string(),
);
const audioEvent = fc.record(
  {
    type: fc.constantFrom(AUDIO, AUDIO, AUDIO, TEXT, 'response.output_audio.done', 'Response.output_audio.delta'),
    item_id: fc.oneof({ weight: 9, arbitrary: itemId }, fc.jsonValue()),
    delta: fc.oneof({ weight: 9, arbitrary: base64 }, fc.jsonValue()),
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['type', 'item_id', 'delta'] },
);

const outcomeOf = (read: () => unknown): unknown => {
  try {
    return { read: read() };
  } catch (error) {
    return { threw: error instanceof Error ? error.message : error };
  }
};

test(`a piece read by hand is what the schema reads, and what the schema refuses is refused (${RUNS} events)`, () => {
  const taken = { agent_audio: 0, agent_text: 0 };
  fc.assert(
    fc.property(
      fc.oneof(
        { weight: 9, arbitrary: audioEvent },
        fc.jsonValue(),
        audioEvent.map(({ type, item_id }) => ({ type, item_id })),
      ),
      (event) => {
        const byHand = outcomeOf(() => readServerEvent(JSON.stringify(event)));
        expect(byHand).toEqual(outcomeOf(() => readBySchema(JSON.parse(JSON.stringify(event)))));
        for (const kind of ['agent_audio', 'agent_text'] as const)
          if (JSON.stringify(byHand).includes(`"kind":"${kind}"`)) taken[kind] += 1;
      },
    ),
    { numRuns: RUNS },
  );
  expect(Math.min(taken.agent_audio, taken.agent_text)).toBeGreaterThan(RUNS / 50);
});
