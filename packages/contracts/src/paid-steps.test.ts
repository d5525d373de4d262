import { expect, test } from 'vitest';
import { z } from 'zod';
import { createPaidSteps, type PaidSteps } from './paid-steps.ts';

const words = z.object({ words: z.string() });

/** What a step results in when what is said now is `said`. */
const asked = (steps: PaidSteps, step: string, said: string) => steps.once(step, words, async () => ({ words: said }));

test('a step that was paid is not paid again at the next delivery, and another one is', async () => {
  const outcomes = new Map<string, unknown>();
  expect(await asked(createPaidSteps(outcomes), 'first', 'once')).toEqual({ words: 'once' });
  const delivered = new Map(Object.entries(JSON.parse(JSON.stringify(Object.fromEntries(outcomes))) as object));
  expect(await asked(createPaidSteps(delivered), 'first', 'twice')).toEqual({ words: 'once' });
  expect(await asked(createPaidSteps(delivered), 'second', 'twice')).toEqual({ words: 'twice' });
});

test('a step that failed was not paid, and the steps that led to it were', async () => {
  const outcomes = new Map<string, unknown>();
  const failing = createPaidSteps(outcomes);
  const outer = failing.once('outer', words, async () => {
    await asked(failing.within('outer'), 'first', 'paid');
    throw new Error('503');
  });
  await expect(outer).rejects.toThrow('503');
  expect([...outcomes]).toEqual([['outer/first', { words: 'paid' }]]);
  expect(await asked(createPaidSteps(outcomes).within('outer'), 'first', 'again')).toEqual({ words: 'paid' });
});

test('an outcome takes the place of the steps that led to it, and of no others', async () => {
  const outcomes = new Map<string, unknown>();
  const steps = createPaidSteps(outcomes);
  await asked(steps.within('outer'), 'first', 'led to it');
  await asked(steps.within('outermost'), 'first', 'did not');
  await asked(steps, 'outer', 'the outcome');
  expect([...outcomes.keys()]).toEqual(['outermost/first', 'outer']);
});

test('an outcome of another form, as another version may have left it, is paid anew', async () => {
  const steps = createPaidSteps(new Map<string, unknown>([['first', { text: 'of before' }]]));
  expect(await asked(steps, 'first', 'anew')).toEqual({ words: 'anew' });
});

test('an outcome of nothing is an outcome', async () => {
  const outcomes = new Map<string, unknown>();
  let paid = 0;
  const pay = async () => ((paid += 1), null);
  for (const steps of [createPaidSteps(outcomes), createPaidSteps(outcomes)]) await steps.once('none', z.null(), pay);
  expect(paid).toBe(1);
});
