import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { command, vitest } from './steps.ts';
import { ending, runSuite, type Step } from './suite.ts';

const step = (name: string, passed: number, failed: number): Step => ({
  name,
  run: async () => ({ passed, failed, failures: failed === 0 ? [] : [{ name: 'a check', why: ['one', 'two'] }] }),
});
const throwing: Step = { name: 'broken', run: () => Promise.reject(new Error('no such program')) };

test('what failed is counted, named and hides nothing that comes after it', async () => {
  const printed: string[] = [];
  const total = await runSuite([[step('one', 3, 1), [throwing, step('two', 2, 0)]], [step('three', 1, 0)]], (line) =>
    printed.push(line),
  );
  expect(total).toMatchObject({ passed: 6, failed: 2 });
  expect(ending(total)).toBe(
    '\nwhat failed:\n✖ one: a check\n    one\n    two\n✖ broken\n    no such program\n\n6 passed, 2 failed\n',
  );
  expect(printed.filter((line) => line.startsWith('✖')).map((line) => line.split(':')[0])).toEqual([
    '✖ one',
    '✖ broken',
  ]);
  expect(printed.join('\n')).toContain('no such program');
});

test('a program that exits with anything but 0 fails, and its output is shown', async () => {
  const shown: string[] = [];
  const program = (code: number) => command('program', ['node', '-e', `console.log('why'); process.exit(${code})`], {});
  expect(await program(0).run((line) => shown.push(line))).toEqual({ passed: 1, failed: 0, failures: [] });
  expect(shown).toEqual([]);
  expect(await program(3).run((line) => shown.push(line))).toMatchObject({
    passed: 0,
    failed: 1,
    failures: [{ why: ['why'] }],
  });
  expect(shown).toEqual(['why']);
});

test('a program that counts its own checks is counted by them', async () => {
  const program = command('program', ['node', '-e', "console.log('4 passed, 1 failed'); process.exit(1)"], {});
  expect(await program.run(() => undefined)).toMatchObject({ passed: 4, failed: 1 });
});

test('a program that exits with anything but 0 is never counted as green', async () => {
  const program = command('program', ['node', '-e', "console.log('4 passed, 0 failed'); process.exit(1)"], {});
  expect(await program.run(() => undefined)).toMatchObject({ passed: 4, failed: 1 });
});

test('a run of tests that fails says what failed: tests, hooks, files, and errors that nobody caught', async () => {
  const root = await mkdtemp(join(tmpdir(), 'suite-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const files = {
    'vitest.config.mjs': "export default { test: { name: 'example', globals: true } };",
    'red.test.mjs': "test('is green', () => {}); describe('group', () => test('is red', () => expect(1).toBe(2)));",
    'hook.test.mjs':
      "describe('held', () => { afterAll(() => { throw new Error('left open') }); test('is green', () => {}); });",
    'broken.test.mjs': "throw new Error('does not load');",
    'late.test.mjs':
      "test('is green', () => { setTimeout(() => { throw new Error('too late') }); return new Promise((end) => setTimeout(end, 50)); });",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);

  const count = await vitest('example', 'example', { NO_COLOR: '1' }, ['--root', root]).run(() => undefined);
  expect(count).toMatchObject({ passed: 3, failed: 4 });
  const told = count.failures.map(({ name, why }) => `${name}: ${why.join(' ')}`).join('\n');
  for (const part of ['red.test.mjs > group > is red', 'expected 1 to be 2', 'red.test.mjs:1:'])
    expect(told).toContain(part);
  for (const part of ['hook.test.mjs > held (a hook)', 'left open']) expect(told).toContain(part);
  for (const part of ['broken.test.mjs (its file or a hook)', 'does not load']) expect(told).toContain(part);
  for (const part of ['an error that nobody caught', 'too late']) expect(told).toContain(part);
});
