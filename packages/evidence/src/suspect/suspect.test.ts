import { describe, expect, test } from 'vitest';
import heldOut from '../../corpus/held-out.json' with { type: 'json' };
import { isSuspect } from './suspect.ts';

describe.each(Object.entries(heldOut))('spoken orders in %s that nobody tuned on', (language, { orders, harmless }) => {
  test('are measured: how many are known, and how many honest lines are taken for one', () => {
    expect(Math.min(orders.length, harmless.length)).toBeGreaterThanOrEqual(40);
    const known = orders.filter(isSuspect).length;
    const wrong = harmless.filter(isSuspect).length;
    process.stdout.write(`orders ${language}: ${known} of ${orders.length}; honest: ${wrong} of ${harmless.length}\n`);
  });
});
