import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Identity } from '@pipeline/contracts';
import { operatorEnvironment, type Surroundings } from './environment.ts';

const CALLCTL = fileURLToPath(new URL('../../../packages/callctl/src/main.ts', import.meta.url));
const TIMEOUT_MS = 60_000;

export type OperatorResult = { readonly code: number; readonly output: string; readonly errors: string };

/** Runs `callctl` as an operator would, as a process of its own, connected as `identity`. `input` goes to its standard input. */
export function runOperator(
  args: readonly string[],
  identity: Identity,
  surroundings: Surroundings,
  input = '',
): Promise<OperatorResult> {
  return new Promise((resolve, reject) => {
    const environment = operatorEnvironment(identity, surroundings);
    const child = execFile(
      process.execPath,
      [CALLCTL, ...args],
      { env: environment, timeout: TIMEOUT_MS, maxBuffer: 8 * 1024 * 1024 },
      (error, output, errors) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, output, errors });
        else reject(new Error(`callctl ${args.join(' ')} did not end properly`, { cause: error }));
      },
    );
    child.stdin?.end(input);
  });
}

/** {@link runOperator} that must succeed; resolves with what it printed. */
export async function operate(
  args: readonly string[],
  identity: Identity,
  surroundings: Surroundings,
  input = '',
): Promise<string> {
  const { code, output, errors } = await runOperator(args, identity, surroundings, input);
  if (code !== 0) throw new Error(`callctl ${args.join(' ')} exited with ${code}:\n${output}${errors}`);
  return output;
}
