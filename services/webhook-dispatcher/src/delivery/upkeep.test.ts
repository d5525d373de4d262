import { expect, it, vi } from 'vitest';
import type { Logger } from '@pipeline/runtime';
import { createUpkeep } from './upkeep.ts';

const CENSUS = { paused: 0, disabled: 0, breakerOpen: 0, oldestDueSeconds: 0 };

it('a look for overdue deliveries that fails is a warning, holds up no count, and is repeated at its next turn only', async () => {
  const counted = { looks: 0, heals: 0 };
  const warnings: string[] = [];
  const upkeep = createUpkeep(
    {
      healDue: async () => {
        counted.heals += 1;
        throw new Error('it took too long');
      },
      census: async () => CENSUS,
      onCensus: () => (counted.looks += 1),
      logger: { warn: (_fields: object, words: string) => warnings.push(words), debug: () => {} } as unknown as Logger, // all that is used
    },
    1,
  );
  upkeep.start();
  await vi.waitFor(() => expect(counted.looks).toBeGreaterThanOrEqual(20), { timeout: 20_000, interval: 1 });
  upkeep.stop();
  expect(counted.heals).toBeGreaterThanOrEqual(3);
  expect(counted.heals).toBeLessThanOrEqual(Math.ceil(counted.looks / 6));
  expect(warnings).toHaveLength(counted.heals);
});
