import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boundaryFor, createTextModel } from '@pipeline/ai-client';
import { loadDialogues, startAiProvider, type AiFault, type AiProvider, type Dialogue } from '@pipeline/sandbox';
import { createPaidSteps, KNOWN_PRICES, transcriptLines, type CallSummarized } from '@pipeline/contracts';
import { transcribed } from './fixtures.ts';
import { handle } from './handler.ts';

const KEY = 'sk-sandbox';
const never = new AbortController().signal;
const dialogues = (await loadDialogues()).filter((dialogue) => dialogue.turns.length > 0);
const [first] = dialogues;
if (first === undefined) throw new Error('the sandbox has no dialogue with words');

let provider: AiProvider;
beforeAll(async () => void (provider = await startAiProvider({ dialogues, apiKey: KEY })));
afterAll(() => provider.close());
const removals: (() => void)[] = [];
afterEach(() => removals.splice(0).forEach((remove) => remove()));

async function summaryOf(dialogue: Dialogue, { apiKey = KEY, timeoutMs = 20_000 } = {}): Promise<string | null> {
  const options = { baseUrl: provider.url, apiKey, model: 'gpt-6-luna', timeoutMs, maxOutputTokens: 8_000 };
  const deps = {
    ask: createTextModel(options),
    paid: createPaidSteps(),
    boundaryFor,
    now: Date.now,
    model: options.model,
    prices: KNOWN_PRICES,
  };
  const transcript = { text: transcriptLines(dialogue.turns), language: dialogue.language, segments: [] };
  const analysis = { ...transcribed.data.analysis, language: dialogue.language };
  const [event] = await handle({ ...transcribed, data: { ...transcribed.data, analysis, transcript } }, deps, never);
  return (event as CallSummarized).data.summary; // The only event that this handler returns.
}

function strike(fault: AiFault): void {
  removals.push(provider.setFault(fault));
}

/** A provider that says nothing is given up soon; any other has all the time that a busy machine needs. */
function timeoutFor(kind: string): number {
  return kind === 'hang' || kind === 'timeout' ? 300 : 20_000;
}

describe('a transcribed dialogue', () => {
  test.each(dialogues)('$id is summarised in the words of the model', async (dialogue) => {
    expect(await summaryOf(dialogue)).toBe(dialogue.answers.summary);
  });

  test.each([
    [
      { kind: 'status', status: 429, retryAfter: 7 },
      { name: 'RetryLaterError', retryAfterMs: 7_000 },
    ],
    [
      { kind: 'status', status: 503 },
      { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' },
    ],
    [
      { kind: 'status', status: 404 },
      { name: 'RetryLaterError', pause: 'model' },
    ],
    [{ kind: 'disconnect' }, { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' }],
    [{ kind: 'hang' }, { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' }],
    [{ kind: 'timeout' }, { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' }],
    [{ kind: 'refusal' }, { name: 'PermanentError', code: 'PROVIDER_REFUSED' }],
    [{ kind: 'content_filter' }, { name: 'PermanentError', code: 'PROVIDER_REFUSED' }],
    [{ kind: 'truncated' }, { name: 'PermanentError', code: 'OUTPUT_TRUNCATED' }],
    [{ kind: 'malformed' }, { name: 'PermanentError', code: 'OUTPUT_INVALID' }],
    [{ kind: 'invalid_schema' }, { name: 'PermanentError', code: 'OUTPUT_INVALID' }],
  ] as const)('whose provider shows %j ends as %j', async (fault, failure) => {
    strike({ route: 'responses', ...fault });
    await expect(summaryOf(first, { timeoutMs: timeoutFor(fault.kind) })).rejects.toMatchObject(failure);
  });

  test('is repaired by one more request when the first answer had no form', async () => {
    strike({ route: 'responses', kind: 'malformed', times: 1 });
    expect(await summaryOf(first)).toBe(first.answers.summary);
  });

  test('whose provider refuses the key pauses the stage', async () => {
    await expect(summaryOf(first, { apiKey: 'sk-revoked' })).rejects.toMatchObject({ pause: 'credentials' });
  });
});
