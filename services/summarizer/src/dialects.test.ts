import { afterEach, describe, expect, test } from 'vitest';
import { boundaryFor, createTextModel, type TextModelOptions } from '@pipeline/ai-client';
import { createPaidSteps, KNOWN_PRICES, transcriptLines, type CallSummarized } from '@pipeline/contracts';
import {
  DIALECT_NAMES,
  DIALECT_SETUPS,
  loadDialogues,
  startAiProvider,
  type AiProvider,
  type DialectName,
} from '@pipeline/sandbox';
import { transcribed } from './fixtures.ts';
import { handle } from './handler.ts';

const KEY = 'key-of-the-sandbox';
const never = new AbortController().signal;
const dialogues = (await loadDialogues()).filter((dialogue) => dialogue.turns.length > 0);
const [dialogue] = dialogues;
if (dialogue === undefined) throw new Error('the sandbox has no dialogue with words');

let provider: AiProvider | undefined;
afterEach(() => provider?.close());

async function summarise(
  kind: DialectName,
  setup: Partial<TextModelOptions> = DIALECT_SETUPS[kind],
): Promise<CallSummarized> {
  provider = await startAiProvider({ dialogues, apiKey: KEY, dialect: kind });
  const limits = { timeoutMs: 20_000, maxOutputTokens: 8_000 };
  const ask = createTextModel({ baseUrl: provider.url, apiKey: KEY, model: 'gpt-6-luna', ...limits, ...setup });
  const asking = { ask, paid: createPaidSteps(), boundaryFor, model: 'gpt-6-luna' };
  const deps = { ...asking, now: Date.now, prices: KNOWN_PRICES };
  const transcript = { text: transcriptLines(dialogue?.turns ?? []), language: 'he', segments: [] };
  const analysis = { ...transcribed.data.analysis, language: dialogue?.language ?? 'en' };
  const [event] = await handle({ ...transcribed, data: { ...transcribed.data, analysis, transcript } }, deps, never);
  return event as CallSummarized; // The only event that this handler returns.
}

describe.each(DIALECT_NAMES)('a server like %s', (kind) => {
  test('summarises a call, paid once, and costs what it counts or nothing that is known', async () => {
    const { data } = await summarise(kind);
    expect(data.summary).toBe(dialogue.answers.summary);
    expect(provider?.requests.filter(({ status }) => status === 200)).toHaveLength(1);
    const counts = kind !== 'ollama' && kind !== 'plain';
    expect(typeof data.stages.summarizer?.costUsd).toBe(counts ? 'number' : 'object');
  });
});

test.each(['vllm', 'azure'] as const)(
  '%s, asked as if it were OpenAI, pauses the stage and loses no call',
  async (kind) => {
    await expect(summarise(kind, {})).rejects.toMatchObject({ name: 'RetryLaterError', pause: expect.any(String) });
  },
);
