import { readCache, fillCache } from './cache.ts';
import { findOnPath } from './executable.ts';
import { planWays, type Way } from './plan.ts';
import type { FindOptions, ProgramName, ServerProgram } from './program.ts';
import type { Recipe, Tool } from './recipe.ts';
import { askVersion, refusal } from './version.ts';

/** A kind of server: what it is called, its programs that count on PATH (best first), how it can be made, how people get it. */
export type ServerKind = {
  readonly title: string;
  readonly programs: readonly ProgramName[];
  readonly recipes: readonly Recipe[];
  /** The three shortest ways to fix it when nothing worked. */
  readonly remedies: readonly [string, string, string];
};

const TOOLS: readonly Tool[] = ['python3', 'go', 'cargo', 'cc', 'cmake', 'ninja'];

/** Finds or makes a server program. Rejects, when nothing worked, with what was tried and the three shortest ways to fix it. */
export async function findProgram(kind: ServerKind, options: FindOptions): Promise<ServerProgram> {
  const { environment, report, prefer } = options;
  const tried: string[] = [];
  const note = (line: string): void => {
    tried.push(line);
    report(line);
  };
  const onPath = await searchPath(kind, options, note);
  const cached = await searchCache(kind, options, note);
  const facts = {
    prefer,
    onPath: [...onPath.keys()],
    cached: [...cached.keys()],
    tools: await searchTools(environment),
  };
  const { ways, impossible } = planWays(kind.recipes, facts);
  for (const way of ways) {
    try {
      const program = await take(way, { onPath, cached, options });
      report(`${program.name} ${program.version}: ${program.found}`);
      return program;
    } catch (error) {
      note(error instanceof Error ? error.message : String(error));
    }
  }
  tried.push(...impossible.map(({ reason }) => reason));
  throw new Error(nothingWorked(kind, tried));
}

type Found = {
  readonly onPath: ReadonlyMap<ProgramName, ServerProgram>;
  readonly cached: ReadonlyMap<Recipe, ServerProgram>;
  readonly options: FindOptions;
};

async function take(way: Way, { onPath, cached, options }: Found): Promise<ServerProgram> {
  const program =
    way.kind === 'path'
      ? onPath.get(way.name)
      : way.kind === 'cached'
        ? cached.get(way.recipe)
        : await fillCache(way.recipe, options);
  if (!program) throw new Error(`the ${way.kind} way was planned without a program`);
  return program;
}

async function searchPath(
  kind: ServerKind,
  { environment }: FindOptions,
  note: (line: string) => void,
): Promise<Map<ProgramName, ServerProgram>> {
  const found = new Map<ProgramName, ServerProgram>();
  for (const name of kind.programs) {
    const file = await findOnPath(name, environment);
    if (file === null) continue;
    const version = await askVersion(file).catch(() => null);
    const reason = version === null ? `${file} does not tell its version` : refusal(name, version);
    if (version !== null && reason === null) {
      found.set(name, { kind: 'program', name, file, leading: [], version, found: `on PATH (${file})` });
    } else {
      note(`${reason}, looking further`);
    }
  }
  return found;
}

async function searchCache(
  kind: ServerKind,
  { environment }: FindOptions,
  note: (line: string) => void,
): Promise<Map<Recipe, ServerProgram>> {
  const found = new Map<Recipe, ServerProgram>();
  for (const recipe of kind.recipes) {
    const entry = await readCache(recipe, environment);
    if (entry.kind === 'ready') found.set(recipe, entry.program);
    if (entry.kind === 'broken') note(`the cached ${recipe.name} ${recipe.version} is broken: ${entry.reason}`);
  }
  return found;
}

async function searchTools(environment: FindOptions['environment']): Promise<Set<Tool>> {
  const found = new Set<Tool>();
  for (const tool of TOOLS) if ((await findOnPath(tool, environment)) !== null) found.add(tool);
  return found;
}

function nothingWorked(kind: ServerKind, tried: readonly string[]): string {
  const attempts = tried.length > 0 ? tried : ['nothing on PATH, nothing cached, no tool to get one with'];
  return [
    `no ${kind.title} could be found or made on this machine:`,
    ...attempts.map((line) => `  - ${line}`),
    'the three shortest ways to fix it:',
    ...kind.remedies.map((line, index) => `  ${index + 1}. ${line}`),
  ].join('\n');
}
