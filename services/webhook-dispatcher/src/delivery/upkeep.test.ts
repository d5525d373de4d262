import { expect, it, vi } from 'vitest';
import type { Logger } from '@pipeline/runtime';
import { createUpkeep } from './upkeep.ts';

const CENSUS = { paused: 0, disabled: 0, breakerOpen: 0, oldestDueSeconds: 0 };

it('a look for overdue deliveries that fails is a warning, and holds up neither counts nor the next look', async () => {
  const { looks, warnings } = await afterLooks(async () => CENSUS);
  expect(looks.heal).toBeGreaterThanOrEqual(5);
  expect(warnings).toHaveLength(looks.heal);
});

it('a database that does not answer is left to others to tell', async () => {
  const { looks, warnings } = await afterLooks(async () => {
    throw new Error('no server answers');
  });
  expect(looks.heal).toBe(0);
  expect(warnings).toEqual([]);
});

/** What came of some looks whose healing fails. */
async function afterLooks(census: () => Promise<typeof CENSUS>) {
  const looks = { census: 0, heal: 0 };
  const warnings: string[] = [];
  const logger = { warn: (_fields: object, words: string) => warnings.push(words), debug: () => {} };
  const upkeep = createUpkeep(
    {
      healDue: async () => {
        looks.heal += 1;
        throw new Error('it took too long');
      },
      census: () => {
        looks.census += 1;
        return census();
      },
      onCensus: () => {},
      logger: logger as unknown as Logger, // all that is used
    },
    1,
  );
  upkeep.start();
  await vi.waitFor(() => expect(looks.census).toBeGreaterThanOrEqual(6), { timeout: 20_000, interval: 1 });
  upkeep.stop();
  return { looks, warnings };
}
