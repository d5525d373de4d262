import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { isFree } from './run/free-port.ts';
import { isRunning } from './run/is-running.ts';

const INDEX = JSON.stringify(fileURLToPath(new URL('index.ts', import.meta.url)));

test(
  'kill -9 of the process that started both servers leaves no server, port or folder',
  { timeout: 30 * 60_000 },
  async () => {
    const program = `
    import { startMongo, startNats } from ${INDEX};
    const servers = await Promise.all([startNats(), startMongo()]);
    console.log(JSON.stringify(servers.map(({ pid, port, dataDir }) => ({ pid, port, dataDir }))));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { value } = await createInterface({ input: parent.stdout })[Symbol.asyncIterator]().next();
    const servers: { pid: number; port: number; dataDir: string }[] = JSON.parse(String(value));
    expect(servers.map(({ pid }) => isRunning(pid))).toEqual([true, true]);
    parent.kill('SIGKILL');
    for (const { pid, port, dataDir } of servers) {
      await expect.poll(() => isRunning(pid)).toBe(false);
      expect(await isFree(port)).toBe(true);
      await vi.waitFor(() => expect(access(dataDir)).rejects.toThrow('ENOENT'), { timeout: 15_000 });
    }
  },
);
