import { expect, test } from 'vitest';
import { command } from './steps.ts';
import { runSuite, type Step } from './suite.ts';

const step = (name: string, passed: number, failed: number): Step => ({ name, run: async () => ({ passed, failed }) });
const throwing: Step = { name: 'broken', run: () => Promise.reject(new Error('no such program')) };

test('what failed is counted, named and hides nothing that comes after it', async () => {
  const printed: string[] = [];
  const total = await runSuite([[step('one', 3, 1), [throwing, step('two', 2, 0)]], [step('three', 1, 0)]], (line) =>
    printed.push(line),
  );
  expect(total).toEqual({ passed: 6, failed: 2 });
  expect(printed.filter((line) => line.startsWith('✖')).map((line) => line.split(':')[0])).toEqual([
    '✖ one',
    '✖ broken',
  ]);
  expect(printed.join('\n')).toContain('no such program');
});

test('a program that exits with anything but 0 fails, and its output is shown', async () => {
  const shown: string[] = [];
  const program = (code: number) => command('program', ['node', '-e', `console.log('why'); process.exit(${code})`], {});
  expect(await program(0).run((line) => shown.push(line))).toEqual({ passed: 1, failed: 0 });
  expect(shown).toEqual([]);
  expect(await program(3).run((line) => shown.push(line))).toEqual({ passed: 0, failed: 1 });
  expect(shown).toEqual(['why']);
});

test('a program that counts its own checks is counted by them', async () => {
  const program = command('program', ['node', '-e', "console.log('4 passed, 1 failed'); process.exit(1)"], {});
  expect(await program.run(() => undefined)).toEqual({ passed: 4, failed: 1 });
});
