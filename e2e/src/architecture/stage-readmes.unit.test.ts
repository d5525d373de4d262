import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FAILURES, STAGES } from '@pipeline/contracts';
import {
  brokerVariables,
  priceVariables,
  recordingVariables,
  serviceVariables,
  stageVariables,
  storeVariables,
} from '@pipeline/runtime';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Where the codes of a stage come from: its own source, and what of the AI client's gives codes to it. */
const SOURCES = {
  transcriber: ['services/transcriber/src/**/*.ts'],
  summarizer: [
    'services/summarizer/src/**/*.ts',
    'packages/ai-client/src/{text-model,responses-api,chat-api,failure}.ts',
  ],
  extractor: [
    'services/extractor/src/**/*.ts',
    'packages/ai-client/src/{text-model,responses-api,chat-api,failure}.ts',
  ],
};
/** What the rule of contracts for providers gives to every stage that asks one. */
const OF_EVERY_PROVIDER = ['PROVIDER_UNAVAILABLE', 'PROVIDER_REJECTED'];
const SHARED = {
  ...brokerVariables,
  ...priceVariables,
  ...recordingVariables,
  ...serviceVariables,
  ...stageVariables,
  ...storeVariables,
};

async function codesInSource(patterns: readonly string[]): Promise<Set<string>> {
  const codes = new Set(OF_EVERY_PROVIDER);
  for await (const file of glob([...patterns], { cwd: root })) {
    if (file.endsWith('.test.ts')) continue;
    const source = await readFile(`${root}${file}`, 'utf8');
    for (const code of Object.keys(FAILURES).filter((one) => source.includes(`'${one}'`))) codes.add(code);
  }
  return codes;
}

describe.each(['transcriber', 'summarizer', 'extractor'] as const)('the README of %s', (stage) => {
  const readme = readFile(`${root}services/${stage}/README.md`, 'utf8');
  const rows = async (pattern: RegExp): Promise<Record<string, string>> => {
    const found = (await readme).matchAll(pattern);
    return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]));
  };

  test('has one row for each variable of its own, with its default, and no other', async () => {
    const { configSchema } = (await import(`${root}services/${stage}/src/config.ts`)) as { configSchema: z.ZodObject }; // the file of every service
    const own = Object.entries(configSchema.shape).filter(([name]) => !Object.hasOwn(SHARED, name));
    const defaults = own.map(([name, schema]) => {
      const parsed = (schema as z.ZodType).safeParse(undefined); // a shape holds schemas
      return [name, parsed.success ? String(parsed.data) : 'required'];
    });
    expect(await rows(/^\| `([A-Z0-9_]+)` \| (?!skipped|failed)(.*?) ?\|/gm)).toEqual(Object.fromEntries(defaults));
  });

  test('has one row for each code that the source names, with its state', async () => {
    const codes = await codesInSource(SOURCES[stage]);
    const states = Object.entries(FAILURES).flatMap(([code, { state }]) => (codes.has(code) ? [[code, state]] : []));
    expect(await rows(/^\| `([A-Z_]+)` \| (skipped|failed) \|/gm)).toEqual(Object.fromEntries(states));
  });

  test('names what is consumed and produced', async () => {
    expect(await readme).toContain(`| \`${STAGES[stage].consumes}\` | \`${STAGES[stage].produces}\` |`);
  });
});
