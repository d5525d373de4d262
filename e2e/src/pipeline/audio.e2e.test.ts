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
  expect(callLog['transcript_quality']).toMatchObject({ flags: [], flaggedSegments: 0, liveMatch: 1 });
});

test.each(['dropped_frame', 'wrong_rate', 'flipped_bit'] as const)(
  'the transcript check fails for a recording with %s',
  async (corruption) => {
    stack.telephone.setRecordingBehaviour({ corruption });
    const { callLog } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
    expect(transcriptProblems(callLog, dialogue())).not.toEqual([]);
  },
);

test('B86 swapped channels are put right by the live transcript, and the CallLog says so', async () => {
  stack.telephone.setRecordingBehaviour({ corruption: 'swapped_channels' });
  const { callLog } = await outcomeOf(stack, await stack.placeCall('he-renovation'));
  expect(transcriptProblems(callLog, dialogue())).toEqual([]);
  expect(callLog['transcript_quality']).toMatchObject({ flags: ['channels_swapped'], flaggedSegments: 0 });
  const warnings = stack.lines.filter(({ level, fields }) => level === 'warn' && fields['callSid'] === callLog['_id']);
  expect(warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining('CHANNEL_MAP'));
});
