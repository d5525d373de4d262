import { readWav } from '@pipeline/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../stack/stack.ts';
import { outcomeOf } from './outcome.ts';

/** Twice real time: what the sockets of a busy machine take is audio that plays on meanwhile. */
const SPEED = 2;
/** A mark follows every 200 ms of audio; the rest is the way there and back. */
const TOLERANCE_MS = 700;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

test.each(['he-interruption', 'en-interruption'])(
  '%s: the agent’s turn is cut where the caller heard it end, and the CallLog says so',
  async (id) => {
    const dialogue = stack.interruptions.find((one) => one.id === id)!;
    const call = await stack.placeCall(id, { speed: SPEED });
    const { problems } = await call.ended;
    const { callLog } = await outcomeOf(stack, call);
    expect(problems).toEqual([]);

    const turns = callLog['transcription_turns'] as { text: string; interrupted?: boolean; heardMs?: number }[];
    expect(turns.map(({ text }) => text)).toEqual(dialogue.turns.map(({ text }) => text));
    expect(turns.map(({ interrupted }) => interrupted === true)).toEqual([false, false, true, false, false, false]);

    const recording = stack.telephone.calls.find(({ callSid }) => callSid === call.callSid)?.recording;
    const [, agent] = readWav(recording!.audio.wav(2)).channels;
    const [, playedMs = 0] = soundsOf(agent!);
    const heardMs = turns[2]?.heardMs ?? -1;
    expect(heardMs).toBeGreaterThan(1_200);
    expect(Math.abs(heardMs - playedMs)).toBeLessThan(TOLERANCE_MS);

    // The recording holds what was heard and nothing of the rest; the words after the cut were understood.
    const lastWord = dialogue.turns[2]!.text.split(' ').at(-1)!;
    expect(callLog['final_transcript']).not.toContain(lastWord);
    expect(callLog['final_transcript']).toContain(dialogue.turns[4]!.text);
    expect(callLog).toMatchObject({ extracted_city: dialogue.expect.city, extracted_service: dialogue.expect.service });
  },
);

/** Milliseconds of every stretch of sound; pauses shorter than 300 ms belong to it. */
function soundsOf(samples: Int16Array): number[] {
  const sounds: number[] = [];
  let from = -1;
  let last = -1;
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < 500) continue;
    if (last < 0 || at - last > 2_400) {
      if (from >= 0) sounds.push((last - from) / 8);
      from = at;
    }
    last = at;
  }
  if (from >= 0) sounds.push((last - from) / 8);
  return sounds;
}
