import { expect, test } from 'vitest';
import { failureOf } from './failures.ts';
import { KNOWN_PRICES } from './prices.ts';
import { stageDone, stageNotDone, stageResultSchema } from './stages.ts';

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

test('a part carries what it cost, also one that failed after the model was paid', () => {
  const usage = { requests: 1, inputTokens: 1_000_000, outputTokens: 0 };
  const done = stageDone({ model: 'gpt-6-luna', attempts: 1, ms: 5, usage, prices: KNOWN_PRICES });
  expect(done.costUsd).toBe(0.1);
  const refused = failureOf('PROVIDER_REFUSED', { model: 'gpt-6-luna', usage });
  expect(stageNotDone(refused, 2, KNOWN_PRICES)).toMatchObject({
    state: 'failed',
    model: 'gpt-6-luna',
    attempts: 2,
    usage,
    costUsd: 0.1,
  });
  expect(stageNotDone(failureOf('NO_TRANSCRIPT'), 1, KNOWN_PRICES)).toMatchObject({ usage: null, costUsd: null });
});
