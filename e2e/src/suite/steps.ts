import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Count, Step } from './suite.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A program of the workspace as one check: passed when it exits 0. What it prints is shown only when it fails. */
export function command(name: string, line: readonly string[], environment: Environment): Step {
  return {
    name,
    run: async (report) => {
      const lines: string[] = [];
      const code = await execute(line, environment, (text) => lines.push(text));
      const counted = countOf(lines.at(-1));
      if (code === 0) return counted ?? { passed: 1, failed: 0 };
      for (const text of lines.slice(-200)) report(text);
      return counted ?? { passed: 0, failed: 1 };
    },
  };
}

/** A project of vitest, counted test by test. A run that found no test counts as a failure. */
export function vitest(name: string, project: string, environment: Environment): Step {
  return {
    name,
    run: async (report) => {
      // Below node_modules, where an interrupted run leaves nothing that anybody minds.
      const file = join(root, `node_modules/.suite/${project}.json`);
      await rm(file, { force: true });
      const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
      const code = await execute(['vitest', 'run', '--project', project, ...reporters], environment, report);
      const count = await readResults(file);
      return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
    },
  };
}

async function readResults(file: string): Promise<Count> {
  const results = JSON.parse(await readFile(file, 'utf8')) as {
    // the form of vitest's JSON reporter
    readonly numPassedTests: number;
    readonly numFailedTests: number;
    readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
  };
  const broken = results.testResults.filter(
    (one) => one.status === 'failed' && one.assertionResults.length === 0,
  ).length;
  const nothing = results.numPassedTests + results.numFailedTests === 0 ? 1 : 0;
  return { passed: results.numPassedTests, failed: results.numFailedTests + broken + nothing };
}

/** A line `N passed, N failed` at the end of a program's output says more than its exit code. */
function countOf(line: string | undefined): Count | undefined {
  const match = /^(\d+) passed, (\d+) failed$/.exec(line?.trim() ?? '');
  return match === null ? undefined : { passed: Number(match[1]), failed: Number(match[2]) };
}

function execute(line: readonly string[], environment: Environment, onLine: (text: string) => void): Promise<number> {
  const [program = '', ...args] = line;
  const bin = join(root, 'node_modules/.bin');
  const path = `${bin}${delimiter}${environment['PATH'] ?? ''}`;
  return new Promise((resolve, reject) => {
    const child = spawn(program === 'node' ? process.execPath : join(bin, program), args, {
      cwd: root,
      env: { ...environment, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
