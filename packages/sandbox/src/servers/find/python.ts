import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath } from './executable.ts';
import type { Workshop } from './recipe.ts';
import { runTool } from './run-tool.ts';

/** Newest of the tried versions first after whatever `python3` is: a beta's wheels do not exist for every Python. */
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const OLDEST_MINOR = 10;
const TOOL_DEADLINE_MS = 60_000;
const INSTALL_DEADLINE_MS = 5 * 60_000;

/**
 * Installs the pinned packages of `requirements/<name>.txt` into a private environment in `folder`, wheels only and every
 * file checked against its hash. Tries each Python 3.10 or newer on PATH. Rejects with the last one's trouble.
 */
export async function installPythonPackages(folder: string, name: string, workshop: Workshop): Promise<void> {
  let trouble: unknown = new Error('no Python 3.10 or newer on PATH');
  const tried = new Set<string>();
  for (const candidate of CANDIDATES) {
    const python = await findOnPath(candidate, workshop.environment);
    const version = python === null ? null : await recentVersion(python);
    if (python === null || version === null || tried.has(version)) continue;
    tried.add(version);
    try {
      const pip = await makeEnvironment(python, folder);
      await runTool({
        ...pip,
        args: [...pip.args, ...installArguments(name)],
        deadlineMs: INSTALL_DEADLINE_MS,
        report: workshop.report,
      });
      return;
    } catch (error) {
      trouble = error;
    }
  }
  throw trouble;
}

/** The interpreter of a private environment. Scripts beside it name the folder they were made in; this one may be moved. */
export function pythonOf(folder: string): string {
  return join(folder, 'bin', 'python3');
}

/** `3.12.4`, or null when it does not run or is too old. */
async function recentVersion(python: string): Promise<string | null> {
  const program = 'import platform; print(platform.python_version())';
  const run = { file: python, args: ['-c', program], deadlineMs: TOOL_DEADLINE_MS };
  const version = await runTool(run).catch(() => '');
  const [major, minor = 0] = version.split('.').map(Number);
  return major === 3 && minor >= OLDEST_MINOR ? version : null;
}

type Pip = { readonly file: string; readonly args: readonly string[] };

/**
 * The pip of the system installs into the environment, which saves the ten seconds of putting another one there. Where it is
 * missing or older than 22.3 (no `--python`), the environment gets its own, if the distribution did not split that off.
 */
async function makeEnvironment(python: string, folder: string): Promise<Pip> {
  const make = (...options: string[]): Promise<string> =>
    runTool({ file: python, args: ['-m', 'venv', '--clear', ...options, folder], deadlineMs: TOOL_DEADLINE_MS });
  await make('--without-pip');
  const outside: Pip = { file: python, args: ['-m', 'pip', '--python', pythonOf(folder)] };
  try {
    await runTool({ ...outside, args: [...outside.args, '--version'], deadlineMs: TOOL_DEADLINE_MS });
    return outside;
  } catch {
    await make();
    return { file: pythonOf(folder), args: ['-m', 'pip'] };
  }
}

function installArguments(name: string): string[] {
  const requirements = fileURLToPath(new URL(`requirements/${name}.txt`, import.meta.url));
  const quiet = [
    '--disable-pip-version-check',
    '--no-input',
    '--no-compile',
    '--progress-bar',
    'off',
    '--retries',
    '2',
  ];
  return ['install', ...quiet, '--only-binary', ':all:', '--require-hashes', '-r', requirements];
}
