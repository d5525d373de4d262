import { describe, expect, test } from 'vitest';
import type { Question } from '@pipeline/ai-client';
import { callSummarizedSchema, createPaidSteps, failureOf, KNOWN_PRICES, RetryLaterError } from '@pipeline/contracts';
import { CALL_SID, heard, transcribed } from './fixtures.ts';
import { handle, handOn, type SummarizerDeps } from './handler.ts';

const never = new AbortController().signal;
function depsOf(answer: string | Error = 'סיכום') {
  const questions: Question<unknown>[] = [];
  let clock = Date.parse('2025-12-09T10:32:00Z');
  const deps: SummarizerDeps = {
    ask: async (question) => {
      questions.push(question);
      if (answer instanceof Error) throw answer;
      const value = question.read({ summary: answer });
      if (value === undefined) throw new TypeError('the test answers in a wrong form');
      return { value, usage: { requests: 1, inputTokens: 90, outputTokens: 10 } };
    },
    paid: createPaidSteps(),
    boundaryFor: () => 'mark',
    now: () => (clock += 500),
    model: 'gpt-6-luna',
    prices: KNOWN_PRICES,
  };
  return { deps, questions };
}

describe('the summarizer', () => {
  test('hands on the call with its summary, all it was given, and the next id', async () => {
    const [event, ...others] = await handle(transcribed, depsOf().deps, never);
    expect(others).toEqual([]);
    expect(callSummarizedSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      type: 'call.summarized',
      id: `${CALL_SID}:summarizer:r1`,
      data: {
        ...transcribed.data,
        summary: 'סיכום',
        stages: {
          transcriber: heard,
          summarizer: { state: 'done', model: 'gpt-6-luna', attempts: 4, ms: 500, usage: { inputTokens: 90 } },
        },
      },
    });
    expect(event).not.toHaveProperty('attempt');
  });

  test('asks about the final transcript, in the language of the business', async () => {
    const { deps, questions } = depsOf();
    await handle(transcribed, deps, never);
    expect(questions).toHaveLength(1);
    expect(questions[0]?.input).toContain('\ncaller: שיפוצים\n');
    expect(questions[0]?.instructions).toContain('Hebrew');
  });

  test.each([
    ['no', null],
    ['an empty', { text: '', language: null, segments: [] }],
  ])('pays nothing for %s transcript, and takes no substitute for it', async (_name, transcript) => {
    const { deps, questions } = depsOf();
    const liveTranscript = [{ speaker: 'caller' as const, text: 'live words', startMs: 0 }];
    const event = { ...transcribed, data: { ...transcribed.data, transcript, liveTranscript } };
    await expect(handle(event, deps, never)).rejects.toMatchObject({ name: 'PermanentError', code: 'NO_TRANSCRIPT' });
    expect(questions).toEqual([]);
  });

  test('lets a failure of the provider pass as it is', async () => {
    const busy = new RetryLaterError('busy', { retryAfterMs: 7 });
    await expect(handle(transcribed, depsOf(busy).deps, never)).rejects.toBe(busy);
  });
});

describe('a call whose summary failed', () => {
  test('goes on with no summary, the reason, and all it was given', async () => {
    const [event, ...others] = await handOn(transcribed, failureOf('PROVIDER_REFUSED'), depsOf().deps, never);
    expect(others).toEqual([]);
    expect(callSummarizedSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      id: `${CALL_SID}:summarizer:r1`,
      data: {
        ...transcribed.data,
        summary: null,
        stages: { transcriber: heard, summarizer: { state: 'failed', code: 'PROVIDER_REFUSED', attempts: 4 } },
      },
    });
  });
});
