import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serverEnvironment } from '@pipeline/sandbox/servers';
import { WEBHOOK_KEYS } from '@pipeline/contracts/webhook';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../stack/stack.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
let folder = '';
let demo: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
});
afterEach(async () => {
  demo?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Starts the demo with a temporary folder of its own, so that what it leaves behind can be seen. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...serverEnvironment(), TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  demo = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, output: () => output };
}

/** Every process below another one, at any depth. */
async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNothingLeft(pids: readonly number[]): Promise<void> {
  await eventually('no process is left', () => pids.every((pid) => !isAlive(pid)), 20_000);
  await eventually('no temporary folder is left', async () => (await readdir(folder)).length === 0, 20_000);
  expect(await readdir(folder)).toEqual([]);
}

describe('npm run demo', () => {
  test('ends with the CallLog and a verified webhook, exits 0 and leaves nothing', async () => {
    const { ended, output } = start('--json');
    expect(await ended, output()).toBe(0);
    const [result] = JSON.parse(output()) as [
      { callLog: Record<string, unknown>; webhook: { signatureValid: boolean; body: Record<string, unknown> } },
    ];
    expect(Object.keys(result.webhook.body).slice(0, 11)).toEqual([...WEBHOOK_KEYS]);
    expect(result.webhook).toMatchObject({
      signatureValid: true,
      body: { city: 'תל אביב', service_category: 'שיפוצים' },
    });
    expect(result.callLog).toMatchObject({ status: 'complete', extracted_city: 'תל אביב' });
    await expectNothingLeft([]);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('%s in the middle of a call leaves no process, port or temporary folder', async (signal, code) => {
    const { child, ended, output } = start('--speed', '1');
    await eventually('the caller is on the phone', () => output().includes('☎'), 90_000);
    const started = await descendants(child.pid ?? 0);
    expect(started.length).toBeGreaterThanOrEqual(7);
    child.kill(signal);
    expect(await ended, output()).toBe(code);
    await expectNothingLeft(started);
  });

  test.each([
    [['--calls', '0'], '--calls must be a whole number from 1 to 200'],
    [['--lang', 'fr'], '--lang must be he, en or all'],
    [['--cals', '2'], "Unknown option '--cals'"],
  ])('%j is refused with what is allowed, exit 2', async (args, text) => {
    const { ended, output } = start(...args);
    expect(await ended).toBe(2);
    expect(output()).toContain(text);
    expect(output()).toContain('npm run demo -- [options]');
  });
});
