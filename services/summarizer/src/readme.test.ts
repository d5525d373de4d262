import { globSync, readFileSync } from 'node:fs';
import { FAILURES, STAGES } from '@pipeline/contracts';
import { brokerVariables, serviceVariables, stageVariables } from '@pipeline/runtime';
import { describe, expect, test } from 'vitest';
import { configSchema } from './config.ts';

const folder = new URL('..', import.meta.url);
const readme = readFileSync(new URL('README.md', folder), 'utf8');
const rows = (pattern: RegExp) =>
  [...readme.matchAll(pattern)].map(([, name = '', value = '']) => [name, value] as const);

/** How a text model fails: what of another package gives codes to this stage. */
const TEXT_MODEL = ['text-model.ts', 'failure.ts'].map((file) => `../../packages/ai-client/src/${file}`);

/** Codes that the source names, the text model and the rule of contracts for providers included. */
function codesInSource(): Set<string> {
  const files = globSync('src/**/*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'));
  const sources = [...files, ...TEXT_MODEL].map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
  const named = Object.keys(FAILURES).filter((code) => sources.includes(`'${code}'`));
  return new Set([...named, 'PROVIDER_UNAVAILABLE', 'PROVIDER_REJECTED']);
}

describe('the README', () => {
  test('has one row for each variable of this service, with its default, and no other', () => {
    const shared = { ...brokerVariables, ...serviceVariables, ...stageVariables };
    const own = Object.entries(configSchema.shape).filter(([name]) => !Object.hasOwn(shared, name));
    const defaults = own.map(([name, schema]) => {
      const parsed = schema.safeParse(undefined);
      return [name, parsed.success ? String(parsed.data) : 'required'];
    });
    expect(Object.fromEntries(rows(/^\| `([A-Z0-9_]+)` \| (?!skipped|failed)(.*?) ?\|/gm))).toEqual(
      Object.fromEntries(defaults),
    );
  });

  test('has one row for each code that the source names, with its state', () => {
    const codes = Object.entries(FAILURES).filter(([code]) => codesInSource().has(code));
    const states = codes.map(([code, { state }]) => [code, state]);
    expect(Object.fromEntries(rows(/^\| `([A-Z_]+)` \| (skipped|failed) \|/gm))).toEqual(Object.fromEntries(states));
  });

  test('names what is consumed and produced', () => {
    const { consumes, produces } = STAGES['summarizer'];
    expect(readme).toContain(`| \`${consumes}\` | \`${produces}\` |`);
  });
});
