import type { ProgramName } from './program.ts';
import { runTool } from './run-tool.ts';

const VERSION_DEADLINE_MS = 20_000;

/** Asks a program with `--version`. Rejects when it cannot run or names none. */
export async function askVersion(file: string): Promise<string> {
  const answer = await runTool({ file, args: ['--version'], deadlineMs: VERSION_DEADLINE_MS });
  const version = versionIn(answer);
  if (version === null) throw new Error(`${file} --version names no version`);
  return version;
}

/** `nats-server: v2.15.1` -> `2.15.1`; `db version v8.2.6` -> `8.2.6`; `secantusd-rs 0.5.3-beta.193` -> `0.5.3-beta.193`. */
export function versionIn(answer: string): string | null {
  return /\bv?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)/.exec(answer)?.[1] ?? null;
}

/** What the pipeline needs of a program that is on PATH. */
const REQUIRED: Readonly<
  Record<ProgramName, { readonly since: readonly [number, number] } | { readonly exactly: string } | null>
> = {
  // 2.10 brought consumer metadata, stream compression and a reason in `term`.
  'nats-server': { since: [2, 10] },
  // The MongoDB client of this project refuses servers before 4.4.
  mongod: { since: [4, 4] },
  // A beta: only the version that was tried.
  'secantusd-rs': { exactly: '0.5.3-beta.193' },
  'secantusd-py': null,
};

/** Why a program of this version on PATH is not taken, one sentence, or null when it is. */
export function refusal(name: ProgramName, version: string): string | null {
  const required = REQUIRED[name];
  if (required === null) return `${name} on PATH is not used`;
  if ('exactly' in required) {
    return version === required.exactly
      ? null
      : `${name} ${version} on PATH is not ${required.exactly}, the one that was tried`;
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor, needMinor] = required.since;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return null;
  return `${name} ${version} on PATH is too old, ${needMajor}.${needMinor} or newer is needed`;
}
