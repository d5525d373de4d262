import { tmpdir } from 'node:os';
import { startGuarded } from '../run/guarded-process.ts';
import { serverEnvironment } from './environment.ts';

export type ToolRun = {
  /** What it is called in error messages; default the file. */
  readonly title?: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The tool is killed after this, ms. */
  readonly deadlineMs: number;
  /** Told every ten seconds how long it has taken and what the tool wrote last. */
  readonly report?: (line: string) => void;
};

const REPORT_EVERY_MS = 10_000;

/** Runs a tool to its end and gives the end of what it wrote (8 kB). Rejects, with its last words, when it fails or takes too long. */
export async function runTool(run: ToolRun): Promise<string> {
  const started = Date.now();
  let lastLine = '';
  const program = await startGuarded({
    file: run.file,
    args: run.args,
    // Tools read configuration files of the folder they run in; there are none of ours.
    cwd: tmpdir(),
    ...(run.env && { environment: { ...serverEnvironment(), ...run.env } }),
    onOutput: (chunk) => (lastLine = lineAtEnd(chunk) || lastLine),
  });
  const ticking = setInterval(() => {
    run.report?.(`${elapsed(Date.now() - started)}: ${lastLine.slice(0, 100)}`);
  }, REPORT_EVERY_MS);
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    program.kill();
  }, run.deadlineMs);
  const code = await program.ended;
  clearInterval(ticking);
  clearTimeout(deadline);
  if (code === 0) return program.output();
  const ending = code === null ? 'was killed' : `ended with ${code}`;
  const why = late ? `took longer than ${elapsed(run.deadlineMs)}` : ending;
  throw new Error(`${run.title ?? run.file} ${why}: ${lastWords(program.output())}`);
}

function lineAtEnd(chunk: Buffer): string {
  const lines = chunk
    .toString('utf8')
    .trim()
    .split(/[\r\n]+/);
  return lines.at(-1)?.trim() ?? '';
}

/** `7 s`, `6 m 55 s`. */
export function elapsed(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}

/** The lines that say what went wrong come last; an error message must stay readable. */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-3).join(' / ').slice(-400) || 'it wrote nothing';
}
