import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { startGuarded } from './guarded-process.ts';
import { isRunning } from './is-running.ts';
import { startProcess } from './server-process.ts';

const MODULE = JSON.stringify(fileURLToPath(new URL('guarded-process.ts', import.meta.url)));

/** Starts a process that starts `script` guarded, and gives both ids. */
async function startParent(script: string, temporaryFolder: string) {
  const program = `
    import { startGuarded } from ${MODULE};
    const [script, temporaryFolder] = process.argv.slice(1);
    const child = await startGuarded({ file: '/bin/sh', args: ['-c', script], cwd: '/', temporaryFolder });
    console.log(child.pid);
    setInterval(() => {}, 1_000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program, script, temporaryFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  return { parent, pid: Number(String(line)) };
}

test.each([
  ['in order', 'exec sleep 600'],
  ['by force when it is deaf', "trap '' TERM; while true; do sleep 600; done"],
])('a program whose starter is killed by SIGKILL ends %s, and its temporary folder goes', async (_, script) => {
  const folder = await mkdtemp(join(tmpdir(), 'guarded-test-'));
  const { parent, pid } = await startParent(script, folder);
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isRunning(pid)).toBe(false);
  await vi.waitFor(() => expect(access(folder)).rejects.toThrow('ENOENT'), { timeout: 15_000 });
});

test('Ctrl-C in the terminal does not reach the program: it is in a process group of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'guarded-test-'));
  const program = await startGuarded({
    file: '/bin/sh',
    args: ['-c', 'ps -o pgid= -p $$ || cut -d" " -f5 /proc/$$/stat'],
    cwd: folder,
  });
  expect(await program.ended).toBe(0);
  expect(Number(program.output())).toBe(program.pid);
  await rm(folder, { recursive: true });
});

test('a program that ends leaves its folder alone, tells its code and its last words', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'guarded-test-'));
  const program = await startGuarded({
    file: '/bin/sh',
    args: ['-c', 'echo good bye; exit 3'],
    cwd: folder,
    temporaryFolder: folder,
  });
  expect(await program.ended).toBe(3);
  expect(program.output()).toBe('good bye');
  expect(program.isAlive()).toBe(false);
  await access(folder);
  await rm(folder, { recursive: true });
});

test('a program that cannot be started is one sentence', async () => {
  const start = startGuarded({ file: '/nowhere/program', args: [], cwd: '/' });
  await expect(start).rejects.toThrow('/nowhere/program cannot be started');
});

test('a program that is deaf to SIGTERM is killed when its grace is over', async () => {
  const deaf = await startProcess({
    file: '/bin/sh',
    args: ['-c', "trap '' TERM; echo deaf; while true; do sleep 600; done"],
    cwd: '/',
  });
  await expect.poll(() => deaf.output()).toBe('deaf');
  await deaf.end(200);
  expect(deaf.isAlive()).toBe(false);
  expect(await deaf.ended).toBeNull();
  await deaf.kill();
});
