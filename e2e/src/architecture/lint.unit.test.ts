import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const fixture = 'e2e/fixtures/bad-architecture';

type Diagnostic = { readonly code: string; readonly message: string; readonly filename: string };

/** Lints the deliberately bad fixture with the repository's own rules. */
async function lintFixture(folder: string): Promise<readonly Diagnostic[]> {
  const args = ['--type-aware', '--format=json', '-c', `${fixture}/oxlint.json`, `${fixture}/${folder}`];
  const output = await promisify(execFile)(`${root}node_modules/.bin/oxlint`, args, { cwd: root }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout, // it exits 1 when it finds something
  );
  return (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics;
}

describe('the architecture rules', () => {
  test.each([
    ['bad/src/handler.ts', 'no-restricted-imports', "'nats'"],
    ['bad/src/handler.ts', 'no-restricted-imports', "'mongoose'"],
    ['bad/src/handler.ts', 'no-restricted-imports', "'mongodb'"],
    ['bad/src/handler.ts', 'no-restricted-imports', "'@pipeline/call-store/call-log-writer'"],
    ['bad/src/handler.ts', 'no-restricted-imports', "'@pipeline/sandbox'"],
    ['bad/src/handler.ts', 'no-restricted-imports', "'openai'"],
    ['bad/src/handler.ts', 'no-restricted-imports', "'../../media-gateway/src/call.ts'"],
    ['bad/src/neighbour.ts', 'no-restricted-imports', "'@pipeline/extractor/config'"],
    ['bad/src/neighbour.ts', 'no-restricted-imports', "'@pipeline/extractor/handler'"],
    ['bad/src/neighbour.ts', 'no-restricted-imports', "services/webhook-dispatcher/src/handler.ts'"],
    ['e2e/src/other.ts', 'no-restricted-imports', "'@pipeline/summarizer/handler'"],
    ['e2e/src/eval/stages.ts', 'no-restricted-imports', "'@pipeline/extractor/prompt'"],
    ['e2e/src/eval/stages.ts', 'no-restricted-imports', "'@pipeline/webhook-dispatcher/handler'"],
    ['bad/src/client.ts', 'no-restricted-imports', "'openai'"],
    ['bad/src/client.ts', 'no-restricted-imports', "'openai/resources/realtime/realtime'"],
    ['bad/src/handler.ts', 'no-process-env', 'process.env'],
    ['bad/src/handler.ts', 'no-floating-promises', 'Promises'],
    ['bad/src/handler.ts', 'no-cycle', 'cycle'],
    ['media-gateway/src/call.ts', 'no-restricted-imports', "'@pipeline/call-store/call-log'"],
    ['media-gateway/src/call.ts', 'no-restricted-imports', "'@pipeline/call-store/deliveries'"],
    ['media-gateway/src/call.ts', 'no-restricted-imports', "'@pipeline/contracts/webhook'"],
    ['bad/src/long.ts', 'max-lines', '262'],
  ])('%s is caught by %s for %s', async (file, rule, text) => {
    const found = (await bad).filter((one) => one.filename.endsWith(file) && one.code.includes(rule));
    expect(found.map((one) => one.message).join('\n')).toContain(text);
  });

  test('the evaluation may take the handlers and configurations of decision 0013 and nothing else', async () => {
    const found = (await bad).filter((one) => one.filename.endsWith('e2e/src/eval/stages.ts'));
    expect(found).toHaveLength(2);
  });

  test('no list of services in the rules leaves one out', async () => {
    const services = await readdir(`${root}services`);
    const rules = await readFile(`${root}.oxlintrc.json`, 'utf8');
    const lists = [...rules.matchAll(/"regex": "(.*)"/g)].map(([, pattern = '']) => pattern);
    expect(lists.length).toBeGreaterThan(8);
    expect(services.filter((service) => !lists.every((list) => list.includes(service)))).toEqual([]);
  });

  test('a handler that imports contracts, types and its own pure files is clean', async () => {
    expect(await lintFixture('services/good')).toEqual([]);
  });
});

const bad = lintFixture('.');
