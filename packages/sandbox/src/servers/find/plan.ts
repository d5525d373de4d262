import type { Preference, ProgramName } from './program.ts';
import type { Recipe, Tool } from './recipe.ts';

/** What was found out about this machine before anything is decided. */
export type Facts = {
  readonly prefer: Preference;
  /** Programs on PATH that are good enough, best first. */
  readonly onPath: readonly ProgramName[];
  /** Recipes whose result is in the cache and answers with the right version. */
  readonly cached: readonly Recipe[];
  readonly tools: ReadonlySet<Tool>;
};

/** One thing to try. */
export type Way =
  | { readonly kind: 'path'; readonly name: ProgramName }
  | { readonly kind: 'cached'; readonly recipe: Recipe }
  | { readonly kind: 'install'; readonly recipe: Recipe };

/** Ways in the order in which they are tried, and recipes that cannot be, with the reason. */
export type Plan = {
  readonly ways: readonly Way[];
  readonly impossible: readonly { readonly recipe: Recipe; readonly reason: string }[];
};

const SPEED: Readonly<Record<Recipe['kind'], number>> = { download: 0, package: 1, build: 2 };

/**
 * The order after the URL in the environment: the program on PATH, what is cached, a download, a build or package.
 * `robust` puts a cached program that is not sturdy behind the sturdy ones that can be made here, and takes recipes by merit;
 * `quick` takes whatever is cached and recipes by speed. `recipes` come best first.
 */
export function planWays(recipes: readonly Recipe[], facts: Facts): Plan {
  const isCached = (recipe: Recipe): boolean => facts.cached.includes(recipe);
  const missing = (recipe: Recipe): Tool[] => recipe.needs.filter((tool) => !facts.tools.has(tool));
  const cached = recipes.filter(isCached);
  const installable = recipes.filter((recipe) => !isCached(recipe) && missing(recipe).length === 0);
  const robust = facts.prefer === 'robust';
  const installs = robust ? installable : installable.toSorted((a, b) => SPEED[a.kind] - SPEED[b.kind]);
  const waits = (recipe: Recipe): boolean => robust && !recipe.isSturdy;
  const ways: Way[] = [
    ...facts.onPath.map((name) => ({ kind: 'path' as const, name })),
    ...cached.filter((recipe) => !waits(recipe)).map((recipe) => ({ kind: 'cached' as const, recipe })),
    ...installs.filter((recipe) => !waits(recipe)).map((recipe) => ({ kind: 'install' as const, recipe })),
    ...cached.filter(waits).map((recipe) => ({ kind: 'cached' as const, recipe })),
    ...installs.filter(waits).map((recipe) => ({ kind: 'install' as const, recipe })),
  ];
  const impossible = recipes
    .filter((recipe) => !isCached(recipe) && missing(recipe).length > 0)
    .map((recipe) => ({ recipe, reason: `${recipe.source} needs ${missing(recipe).join(', ')} on PATH` }));
  return { ways, impossible };
}
