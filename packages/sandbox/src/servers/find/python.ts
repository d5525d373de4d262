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
  for (const candidate of CANDIDATES) {
    const python = await findOnPath(candidate, workshop.environment);
    if (python === null || !(await isRecentPython(python))) continue;
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

async function isRecentPython(python: string): Promise<boolean> {
  const check = `import sys; sys.exit(0 if sys.version_info[:2] >= (3, ${OLDEST_MINOR}) else 1)`;
  return runTool({ file: python, args: ['-c', check], deadlineMs: TOOL_DEADLINE_MS }).then(
    () => true,
    () => false,
  );
}

type Pip = { readonly file: string; readonly args: readonly string[] };

/** Distributions split `ensurepip` off Python; then the pip of the system installs into the environment. */
async function makeEnvironment(python: string, folder: string): Promise<Pip> {
  const make = (...options: string[]): Promise<string> =>
    runTool({ file: python, args: ['-m', 'venv', '--clear', ...options, folder], deadlineMs: TOOL_DEADLINE_MS });
  try {
    await make();
    return { file: pythonOf(folder), args: ['-m', 'pip'] };
  } catch {
    await make('--without-pip');
    return { file: python, args: ['-m', 'pip', '--python', pythonOf(folder)] };
  }
}

function installArguments(name: string): string[] {
  const requirements = fileURLToPath(new URL(`requirements/${name}.txt`, import.meta.url));
  const quiet = ['--disable-pip-version-check', '--no-input', '--no-compile', '--progress-bar', 'off'];
  return ['install', ...quiet, '--only-binary', ':all:', '--require-hashes', '-r', requirements];
}
