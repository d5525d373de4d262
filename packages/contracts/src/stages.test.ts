import { expect, test } from 'vitest';
import { stageDone, stageResultSchema } from './stages.ts';

test('F75 B72 a clock that was set back and a count that is none cost the call nothing: the result still is a valid part of an event', () => {
  const counted = { requests: 2, inputTokens: Number.NaN, outputTokens: undefined as unknown as number }; // as from a server that leaves counts out
  const result = stageDone({ model: 'm', attempts: 1, ms: -3_600_000, usage: counted });
  const received: unknown = JSON.parse(JSON.stringify(result));
  expect(stageResultSchema.parse(received)).toEqual({
    state: 'done',
    code: null,
    model: 'm',
    attempts: 1,
    ms: 0,
    usage: { requests: 2 },
    costUsd: null,
  });
});
