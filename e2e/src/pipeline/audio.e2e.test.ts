import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../stack/stack.ts';
import { outcomeOf, transcriptProblems } from './outcome.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const dialogue = () => stack.dialogues.find((one) => one.id === 'he-renovation')!;

test('audio that arrives whole passes the transcript check', async () => {
  const { callLog } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
  expect(transcriptProblems(callLog, dialogue())).toEqual([]);
});

test.each(['swapped_channels', 'dropped_frame', 'wrong_rate', 'flipped_bit'] as const)(
  'the transcript check fails for a recording with %s',
  async (corruption) => {
    stack.telephone.setRecordingBehaviour({ corruption });
    const { callLog } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
    expect(transcriptProblems(callLog, dialogue())).not.toEqual([]);
  },
);
