import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkLaws, verdictLines, type Verdict } from './check.ts';
import { entriesBelow, readCode } from './read-code.ts';
import { runSystem } from './run-system.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/bad-pipeline/${name}`, import.meta.url));
const entries = entriesBelow(new URL('../../../', import.meta.url));

describe('the laws on a bad pipeline', () => {
  let verdicts: Verdict[] = [];
  beforeAll(async () => {
    const code = await readCode({
      ...entries,
      'media-gateway': fixture('knowing-gateway.ts'),
      summarizer: fixture('writing-summarizer.ts'),
    });
    const run = await runSystem({
      preload: { 'media-gateway': [fixture('sabotaged-gateway.ts')] },
      overrides: { 'media-gateway': ({ webhookOrigins }) => ({ SABOTAGE_ENDPOINT: `${webhookOrigins[0]}/webhooks` }) },
      extraRoles: { transcriber: { calls: 'readWrite' } },
    });
    verdicts = checkLaws(code, run);
  });
  const violations = (number: number): string =>
    verdicts.find((one) => one.number === number)?.violations.join('\n') ?? '';

  test('1 fails for a gateway that reaches webhook code by a detour and under another name', () => {
    expect(violations(1)).toContain('call-store/src/deliveries/');
  });

  test('2 fails for a gateway that lets Twilio wait for a later stage', () => {
    expect(violations(2)).toContain('the status callback was answered 503');
  });

  test('3 fails for a webhook that did not come from webhook-dispatcher', () => {
    expect(violations(3)).toContain('requests reached the endpoint while webhook-dispatcher was down');
  });

  test('4 fails for a second writer in the code and for one in the database', () => {
    expect(violations(4)).toContain('summarizer reaches the CallLog writer');
    expect(violations(4)).toContain('the database lets transcriber write calls');
  });

  test('5 fails for a gateway that does not say that the pipeline takes over', () => {
    expect(violations(5)).toContain('said 0 times');
  });

  test('the lines name each law that fails, and nothing says that all passed', () => {
    const lines = verdictLines(verdicts);
    expect(lines.filter((line) => line.startsWith('❌ Test '))).toHaveLength(5);
    expect(lines.at(-1)).toBe('❌ 5 of 5 FAILED');
  });
});

test('the laws on the code as it is find nothing by its import graphs', async () => {
  const code = await readCode(entries);
  const reachable = [...code.gateway.files].filter((file) =>
    /webhook-dispatcher|call-store\/src\/(deliveries|call-log)/.test(file),
  );
  expect(reachable).toEqual([]);
  expect(code.gateway.files.size).toBeGreaterThan(50);
});
