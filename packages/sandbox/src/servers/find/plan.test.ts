import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MONGO_RECIPES } from './mongo-recipes.ts';
import { NATS_RECIPES } from './nats-recipes.ts';
import { planWays, type Facts, type Way } from './plan.ts';
import type { Recipe, Tool } from './recipe.ts';

const ALL_TOOLS: readonly Tool[] = ['python3', 'go', 'cargo', 'cc', 'cmake', 'ninja'];
const recipe = (name: string): Recipe => {
  const found = [...MONGO_RECIPES, ...NATS_RECIPES].find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};
const facts = (own: Partial<Facts>): Facts => ({ prefer: 'quick', onPath: [], cached: [], tools: new Set(), ...own });
const words = (ways: readonly Way[]): string[] =>
  ways.map((way) => `${way.kind} ${way.kind === 'path' ? way.name : way.recipe.name}`);

describe('the order in which a MongoDB is looked for', () => {
  test('a program on PATH comes before what is cached, and that before a download, package or build', () => {
    const { ways } = planWays(
      MONGO_RECIPES,
      facts({ onPath: ['mongod'], cached: [recipe('secantusd-py')], tools: new Set(ALL_TOOLS) }),
    );
    expect(words(ways)).toEqual(['path mongod', 'cached secantusd-py', 'install mongod', 'install secantusd-rs']);
  });

  test('quick installs the package of seconds before the build of minutes', () => {
    const { ways } = planWays(MONGO_RECIPES, facts({ tools: new Set(ALL_TOOLS) }));
    expect(words(ways)).toEqual(['install mongod', 'install secantusd-py', 'install secantusd-rs']);
  });

  test('robust builds the sturdy server although the quick one is cached, and keeps that one as the last resort', () => {
    const { ways } = planWays(
      MONGO_RECIPES,
      facts({ prefer: 'robust', cached: [recipe('secantusd-py')], tools: new Set(ALL_TOOLS) }),
    );
    expect(words(ways)).toEqual(['install mongod', 'install secantusd-rs', 'cached secantusd-py']);
  });

  test('a recipe whose tools are missing is not tried, and the plan says which are missing', () => {
    const { ways, impossible } = planWays(MONGO_RECIPES, facts({ tools: new Set(['cargo', 'cc'] as const) }));
    expect(words(ways)).toEqual(['install mongod']);
    expect(impossible.map(({ reason }) => reason)).toEqual([
      'the crate secantus-mdb 0.5.3-beta.193 needs cmake, ninja on PATH',
      'the Python package SecantusDB 0.7.0b3 needs python3 on PATH',
    ]);
  });
});

test('whatever the machine has, every recipe is either tried once or named as impossible, and robust takes no flimsy one first', () => {
  const recipes = [...MONGO_RECIPES, ...NATS_RECIPES];
  fc.assert(
    fc.property(
      fc.constantFrom('quick' as const, 'robust' as const),
      fc.subarray(recipes),
      fc.subarray([...ALL_TOOLS]),
      (prefer, cached, tools) => {
        const { ways, impossible } = planWays(recipes, facts({ prefer, cached, tools: new Set(tools) }));
        const tried = ways.flatMap((way) => (way.kind === 'path' ? [] : [way.recipe]));
        const named = [...tried, ...impossible.map((one) => one.recipe)];
        expect(named).toHaveLength(recipes.length);
        expect(new Set(named)).toEqual(new Set(recipes));
        const sturdyFirst = tried.toSorted((a, b) => Number(b.isSturdy) - Number(a.isSturdy));
        expect(tried.map((one) => one.isSturdy)).toEqual(
          (prefer === 'robust' ? sturdyFirst : tried).map((one) => one.isSturdy),
        );
      },
    ),
  );
});
