import { afterEach, describe, expect, test } from 'vitest';
import { boundaryFor, createTextModel } from '@pipeline/ai-client';
import { createPaidSteps, KNOWN_PRICES, transcriptLines, type NewCallLog } from '@pipeline/contracts';
import {
  DIALECT_NAMES,
  DIALECT_SETUPS,
  loadBusinesses,
  loadDialogues,
  startAiProvider,
  type AiProvider,
} from '@pipeline/sandbox';
import { summarized } from './fixtures.ts';
import { handle, type ExtractorDeps } from './handler.ts';

const KEY = 'key-of-the-sandbox';
const never = new AbortController().signal;
const businesses = await loadBusinesses();
const dialogues = (await loadDialogues()).filter(({ answers }) => answers.summary !== null);
const dialogue = dialogues.find(({ id }) => id === 'he-renovation');
if (dialogue === undefined) throw new Error('the sandbox has lost a dialogue');

let provider: AiProvider | undefined;
afterEach(() => provider?.close());

describe.each(DIALECT_NAMES)('a server like %s', (kind) => {
  test('extracts the fields of a call, paid once', async () => {
    provider = await startAiProvider({ dialogues, apiKey: KEY, dialect: kind });
    const limits = { timeoutMs: 20_000, maxOutputTokens: 8_000 };
    const options = { baseUrl: provider.url, apiKey: KEY, model: 'gpt-6-luna', ...limits, ...DIALECT_SETUPS[kind] };
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
    const { turns, language, businessId, answers } = dialogue;
    const transcript = { text: transcriptLines(turns), language, segments: [] };
    const data = { ...summarized.data, transcript, summary: answers.summary };
    await handle({ ...summarized, businessId, data }, deps, never);
    expect(logs).toMatchObject([{ extracted_city: 'תל אביב', extracted_service: 'שיפוצים', status: 'complete' }]);
    expect(provider.requests.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});
