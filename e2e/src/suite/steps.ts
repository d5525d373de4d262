import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
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
      if (code === 0) return { passed: 1, failed: 0, ...counted, failures: [] };
      for (const text of lines.slice(-200)) report(text);
      const failures = [{ name: `exit code ${code}`, why: lines.slice(-40) }];
      return { passed: counted?.passed ?? 0, failed: Math.max(counted?.failed ?? 0, 1), failures };
    },
  };
}

/**
 * A project of vitest, counted test by test; hooks, files that do not load and errors that nobody caught count too, and a run
 * that found no test or wrote no result is a failure.
 */
export function vitest(name: string, project: string, environment: Environment, options: readonly string[] = []): Step {
  return {
    name,
    run: async (report) => {
      // Below node_modules, where an interrupted run leaves nothing that anybody minds.
      const file = join(root, `node_modules/.suite/${project}.json`);
      await mkdir(dirname(file), { recursive: true });
      await rm(file, { force: true });
      const reporters = [
        '--reporter=default',
        `--reporter=${fileURLToPath(import.meta.resolve('./results-reporter.ts'))}`,
      ];
      const line = ['vitest', 'run', '--project', project, ...reporters, `--outputFile=${file}`, ...options];
      const code = await execute(line, environment, report);
      const count = JSON.parse(await readFile(file, 'utf8')) as Count; // written by our reporter
      const empty = count.passed + count.failed === 0;
      if (empty || (code !== 0 && count.failed === 0)) {
        return {
          ...count,
          failed: 1,
          failures: [{ name: empty ? 'no test was found' : `exit code ${code}`, why: [] }],
        };
      }
      return count;
    },
  };
}

/** A line `N passed, N failed` at the end of a program's output says more than its exit code. */
function countOf(line: string | undefined): Pick<Count, 'passed' | 'failed'> | undefined {
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
