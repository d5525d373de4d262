import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, type ServerEnvironment } from './environment.ts';
import { takeLock } from './lock.ts';
import type { ServerProgram } from './program.ts';
import type { Recipe } from './recipe.ts';
import { elapsed } from './run-tool.ts';

/** Longer than the longest build on a slow machine: another run builds what this one waits for. */
const LOCK_WAIT_MS = 45 * 60_000;

/** `broken`: something is there that does not answer with the version it should have. */
export type Cached =
  | { readonly kind: 'ready'; readonly program: ServerProgram }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'none' };

/** Looks for what a recipe has left in the cache, by asking the program for its version. */
export async function readCache(recipe: Recipe, environment: ServerEnvironment): Promise<Cached> {
  const folder = entryFolder(recipe, environment);
  if (!(await exists(folder))) return { kind: 'none' };
  const reason = await whatIsWrong(recipe, folder);
  if (reason !== null) return { kind: 'broken', reason };
  return { kind: 'ready', program: programIn(recipe, folder, `cached (${folder})`) };
}

/**
 * Makes the recipe's program and keeps it in the cache; a broken one is replaced. One process at a time: a second one waits
 * and takes the first one's result. The cache never holds a half made program under its name.
 */
export async function fillCache(
  recipe: Recipe,
  options: { readonly environment: ServerEnvironment; readonly report: (line: string) => void },
): Promise<ServerProgram> {
  const { environment, report } = options;
  const folder = entryFolder(recipe, environment);
  const lock = await takeLock(`${folder}.lock`, {
    waitMs: LOCK_WAIT_MS,
    onWait: ({ pid }) => report(`process ${pid} is getting ${recipe.source}, waiting for it`),
  });
  try {
    const cached = await readCache(recipe, environment);
    if (cached.kind === 'ready') return cached.program;
    if (cached.kind === 'broken') report(`replacing a broken ${recipe.name} in the cache: ${cached.reason}`);
    return await make(recipe, folder, { environment, report });
  } finally {
    await lock.release();
  }
}

async function make(
  recipe: Recipe,
  folder: string,
  options: { readonly environment: ServerEnvironment; readonly report: (line: string) => void },
): Promise<ServerProgram> {
  const { environment, report } = options;
  const started = Date.now();
  const draft = `${folder}.draft`;
  const scratch = `${folder}.scratch`;
  report(`getting ${recipe.source} (${recipe.duration})`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await recipe.install(draft, { environment, report, scratch });
    const reason = await whatIsWrong(recipe, draft);
    if (reason !== null) throw new Error(reason);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // An interrupted build goes on where it was; half a download or package is of no use.
    if (recipe.kind !== 'build') await rm(scratch, { recursive: true, force: true });
    throw error;
  }
  await rm(scratch, { recursive: true, force: true });
  const took = elapsed(Date.now() - started);
  report(`${recipe.name} ${recipe.version} is ready (${took})`);
  return programIn(recipe, folder, `${recipe.source}, fetched in ${took}`);
}

async function whatIsWrong(recipe: Recipe, folder: string): Promise<string | null> {
  try {
    const version = await recipe.readVersion(folder);
    return version === recipe.version ? null : `it says version ${version || 'nothing'}, not ${recipe.version}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function programIn(recipe: Recipe, folder: string, found: string): ServerProgram {
  return { kind: 'program', name: recipe.name, version: recipe.version, found, ...recipe.command(folder) };
}

/** One folder per program, version and kind of machine: a home folder may be shared between machines. */
function entryFolder(recipe: Recipe, environment: ServerEnvironment): string {
  return join(cacheFolder(environment), `${recipe.name}-${recipe.version}-${process.platform}-${process.arch}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
