import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GOLDEN_SET, loadDialogues, startAiProvider, type AiProvider, type Dialogue } from '@pipeline/sandbox';
import { afterEach, describe, expect, test } from 'vitest';
import type { EvalReport } from './report.ts';
import { runEval } from './run-eval.ts';

const never = new AbortController().signal;
const folders: string[] = [];
let provider: AiProvider | undefined;
afterEach(async () => {
  await provider?.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function evaluate(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const world = { environment, out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) };
  const code = await runEval(args, world, never);
  return { code, out: out.join(''), err: err.join('') };
}

async function reportFor(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<EvalReport & { code: number }> {
  const { code, out } = await evaluate([...args, '--json'], environment);
  return { ...(JSON.parse(out) as EvalReport), code }; // our own output
}

/** A folder with some dialogues of the golden set, each as `change` makes it. */
async function folderWith(
  ids: readonly string[],
  change: (dialogue: Dialogue) => object = (one) => one,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eval-'));
  folders.push(folder);
  for (const id of ids) {
    const text = await readFile(new URL(`${id}.json`, GOLDEN_SET), 'utf8');
    await writeFile(join(folder, `${id}.json`), JSON.stringify(change(JSON.parse(text) as Dialogue)));
  }
  return folder;
}

test('the golden set has at least 40 dialogues in three languages, and the sandbox is right about all of them', async () => {
  const report = await reportFor([]);
  expect(report).toMatchObject({ code: 0, precision: 1, recall: 1, problems: [] });
  expect((await loadDialogues(GOLDEN_SET)).length).toBeGreaterThanOrEqual(40);
  for (const language of ['he', 'ar', 'en']) expect(report.languages[language]?.cases).toBeGreaterThanOrEqual(10);
  const types = [
    'rooms',
    'budget',
    'is_new_patient',
    'preferred_date',
    'preferred_time',
    'callback',
    'email',
    'vehicle',
    'neighborhoods',
    'problem',
  ];
  expect(Object.keys(report.fields)).toEqual(expect.arrayContaining(['city', 'service', 'urgency', ...types]));
});

describe("a set of one's own", () => {
  test('is evaluated, and what is not as expected counts', async () => {
    const folder = await folderWith(['he-city-corrected', 'ar-plumbing'], (one) => ({
      ...one,
      expect: { city: 'ירושלים', service: null, fields: { urgency: one.expect.fields['urgency'] } },
    }));
    const report = await reportFor(['--set', folder]);
    expect(report).toMatchObject({ code: 0, cases: 2, precision: 2 / 6, recall: 2 / 4 });
    expect(report.problems.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual([
      'city wrong',
      'service invented',
      'city wrong',
      'service invented',
    ]);
    expect((await evaluate(['--set', folder, '--at-least', '0.9'])).code).toBe(1);
  });

  test('may bring its own businesses and keyword rules', async () => {
    const folder = await folderWith(['en-price-only'], (one) => ({
      ...one,
      businessId: 'biz_own',
      answers: undefined,
    }));
    await cp(fileURLToPath(new URL('businesses/', GOLDEN_SET)), join(folder, 'businesses'), { recursive: true });
    const own = {
      id: 'biz_own',
      name: 'Own',
      agent: { instructions: 'x', greeting: 'Hi.' },
      fields: [
        { key: 'urgency', type: 'string', description: 'x' },
        { key: 'caller_name', type: 'string', description: 'x' },
      ],
    };
    await writeFile(join(folder, 'businesses/biz_own.json'), JSON.stringify(own));
    const rules = { en: [{ field: 'service', value: 'carpet cleaning', words: ['carpet cleaning'] }] };
    await writeFile(join(folder, 'keywords.json'), JSON.stringify(rules));
    // The sandbox knows no summary of this dialogue, so nothing may be found.
    expect(await reportFor(['--set', folder])).toMatchObject({ cases: 1, recall: 0, precision: 1 });
  });

  test.each([
    [
      'a dialogue that is not valid',
      (one: object) => ({ ...one, from: 'nobody' }),
      /en-noisy\.json is not valid[^]*from/,
    ],
    [
      'a business that nobody knows',
      (one: object) => ({ ...one, businessId: 'biz_x' }),
      /en-noisy\.json: businessId: .*biz_x/,
    ],
    [
      'a field that nobody asks for',
      (one: object) => ({ ...one, expect: { city: null, service: null, fields: { shoe: 1 } } }),
      /en-noisy\.json: expect\.fields\.shoe/,
    ],
  ])('with %s is refused with its place', async (_name, change, message) => {
    const { code, err, out } = await evaluate(['--set', await folderWith(['en-noisy'], change)]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  test('that is empty or not there is refused', async () => {
    expect((await evaluate(['--set', await folderWith([])])).err).toContain('holds no dialogue');
    expect(await evaluate(['--set', '/nowhere/at/all'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('/nowhere/at/all'),
    });
  });
});

describe('another provider', () => {
  const start = async () => {
    provider = await startAiProvider({ dialogues: await loadDialogues(GOLDEN_SET), apiKey: 'sk-of-another' });
    return { EVAL_BASE_URL: provider.url, EVAL_API_KEY: 'sk-of-another', EVAL_MODEL: 'gpt-6.1-terra' };
  };

  test('is asked by configuration, in the way that it speaks', async () => {
    const folder = await folderWith(['en-noisy', 'he-dental-date']);
    const report = await reportFor(['--set', folder], { ...(await start()), EXTRACTION_API: 'chat' });
    expect(report).toMatchObject({ code: 0, cases: 2, precision: 1, recall: 1 });
    const asked = provider?.requests.map(({ route, model }) => `${route} ${model}`);
    expect(new Set(asked)).toEqual(new Set(['responses gpt-6.1-terra', 'chat gpt-6.1-terra']));
  });

  test('that rejects the key measures nothing, and says so', async () => {
    const environment = { ...(await start()), EVAL_API_KEY: 'sk-wrong' };
    const { code, out, err } = await evaluate(['--set', await folderWith(['en-noisy'])], environment);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('rejects the credentials');
  });

  test('that fails a part loses its fields and the evaluation goes on', async () => {
    const environment = await start();
    provider?.setFault({ route: 'responses', kind: 'refusal', match: { textIncludes: 'Cicero' } });
    const { code, err, out } = await evaluate(
      ['--set', await folderWith(['en-noisy', 'en-price-only']), '--json'],
      environment,
    );
    expect(code).toBe(0);
    expect(err).toContain('PROVIDER_REFUSED');
    expect(JSON.parse(out)).toMatchObject({
      cases: 2,
      precision: 1,
      recall: 1 / 5,
      failed: [{ dialogueId: 'en-noisy', code: 'PROVIDER_REFUSED' }],
    });
  });

  test('that fails every dialogue measures nothing: it ends with 1, though nothing wrong was found, and the report says why', async () => {
    const environment = await start();
    provider?.setFault({ route: 'responses', kind: 'refusal' });
    const folder = await folderWith(['en-noisy', 'en-price-only']);
    const { code, out, err } = await evaluate(['--set', folder, '--json'], environment);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      precision: 1,
      recall: 0,
    });
    const failed = (JSON.parse(out) as EvalReport).failed.map(({ dialogueId }) => dialogueId);
    expect(failed.toSorted()).toEqual(['en-noisy', 'en-price-only']);
    expect(err).toContain('nothing measured: every dialogue failed');
    const text = await evaluate(['--set', folder], environment);
    expect(text.out).toContain('en-noisy: failed, PROVIDER_REFUSED');
  });

  test('that stays busy for one dialogue fails that one alone: what was measured of the others is kept', async () => {
    const environment = await start();
    provider?.setFault({
      route: 'responses',
      kind: 'status',
      status: 503,
      retryAfter: 0,
      match: { textIncludes: 'Cicero' },
    });
    const report = await reportFor(['--set', await folderWith(['en-noisy', 'en-price-only'])], environment);
    expect(report).toMatchObject({ code: 0, cases: 2, failed: [{ code: 'PROVIDER_BUSY' }] });
    expect(report.recall).toBeGreaterThan(0);
  });

  test('with half a configuration is refused by name', async () => {
    expect(await evaluate([], { SUMMARY_API_KEY: 'sk-only' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('EXTRACTION_API_KEY'),
    });
  });
});

test.each([['--concurrency', '0'], ['--at-least', '2'], ['--nonsense'], ['stray']])(
  'the options %s %s are refused with the usage',
  async (...args) => {
    expect(await evaluate(args)).toMatchObject({ code: 2, err: expect.stringContaining('pnpm eval') });
  },
);

test('--help says how', async () => {
  expect(await evaluate(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('EVAL_API_KEY') });
});
