import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boundaryFor, createTextModel } from '@pipeline/ai-client';
import {
  loadBusinesses,
  loadDialogues,
  startAiProvider,
  type AiFault,
  type AiProvider,
  type Dialogue,
} from '@pipeline/sandbox';
import { createPaidSteps, KNOWN_PRICES, transcriptLines, type NewCallLog } from '@pipeline/contracts';
import { summarized } from './fixtures.ts';
import { handle, type ExtractorDeps } from './handler.ts';

const KEY = 'sk-sandbox';
const never = new AbortController().signal;
const businesses = await loadBusinesses();
const dialogues = (await loadDialogues()).filter((dialogue) => dialogue.answers.summary !== null);
const [first] = dialogues;
if (first === undefined) throw new Error('the sandbox has no dialogue with a summary');

let provider: AiProvider;
beforeAll(async () => void (provider = await startAiProvider({ dialogues, apiKey: KEY })));
afterAll(() => provider.close());
const removals: (() => void)[] = [];
afterEach(() => removals.splice(0).forEach((remove) => remove()));

async function callLogOf({ turns, language, businessId, answers }: Dialogue): Promise<NewCallLog | undefined> {
  const options = {
    baseUrl: provider.url,
    apiKey: KEY,
    model: 'gpt-6-luna',
    timeoutMs: 20_000,
    maxOutputTokens: 8_000,
  };
  const logs: NewCallLog[] = [];
  const deps: ExtractorDeps = {
    settings: async (id) => businesses.find((business) => business.id === id) ?? null,
    ask: createTextModel(options),
    store: async (log) => {
      logs.push(log);
      return { kind: 'stored', callLog: { ...log, stored_at: '2025-12-09T10:33:00Z', previous: null } };
    },
    find: async () => ({ kind: 'none' }),
    paid: createPaidSteps(),
    report: () => {},
    boundaryFor,
    now: Date.now,
    model: options.model,
    prices: KNOWN_PRICES,
  };
  const transcript = { text: transcriptLines(turns), language, segments: [] };
  const event = { ...summarized, businessId, data: { ...summarized.data, transcript, summary: answers.summary } };
  await handle(event, deps, never);
  return logs[0];
}

function strike(fault: AiFault): void {
  removals.push(provider.setFault(fault));
}

describe('a summarised dialogue', () => {
  test.each(dialogues)('$id has the fields that it should have', async (dialogue) => {
    const log = await callLogOf(dialogue);
    const { city, service, fields } = dialogue.expect;
    expect(log).toMatchObject({ extracted_city: city, extracted_service: service, status: 'complete' });
    const found = log?.fields.filter(({ status }) => status === 'found') ?? [];
    const wanted = Object.entries(fields).filter(([, value]) => value !== null);
    expect(Object.fromEntries(found.map(({ key, value }) => [key, value]))).toEqual(Object.fromEntries(wanted));
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
    [{ kind: 'refusal' }, { name: 'PermanentError', code: 'PROVIDER_REFUSED' }],
    [{ kind: 'truncated' }, { name: 'PermanentError', code: 'OUTPUT_TRUNCATED' }],
    [{ kind: 'malformed' }, { name: 'PermanentError', code: 'OUTPUT_INVALID' }],
    [{ kind: 'invalid_schema' }, { name: 'PermanentError', code: 'OUTPUT_INVALID' }],
  ] as const)('whose provider shows %j ends as %j', async (fault, failure) => {
    strike({ route: 'responses', ...fault });
    await expect(callLogOf(first)).rejects.toMatchObject(failure);
  });
});
