import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { takeLock } from '../find/lock.ts';
import { isRunning } from './is-running.ts';

/** Where one server keeps what it stores. */
export type DataFolder = {
  readonly path: string;
  /** A temporary folder is gone after {@link DataFolder.release}, a given one is kept. */
  readonly temporary: boolean;
  /** Notes the process that uses it now. */
  usedBy(pid: number): Promise<void>;
  release(): Promise<void>;
};

/** A server whose starter was killed is gone after 4 s by its watchdog's doing; an older process with its id is another program. */
const ABANDONED_MS = 8_000;

/**
 * The given folder (made if missing), or a fresh temporary one. Rejects when another run uses the given folder: two servers
 * on one store would destroy it.
 */
export async function openDataFolder(server: string, given: string | undefined): Promise<DataFolder> {
  if (given === undefined) {
    const path = await mkdtemp(join(tmpdir(), `pipeline-${server}-`));
    removeAtExit(path);
    const release = async (): Promise<void> => {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      temporaryFolders.delete(path);
    };
    return { path, temporary: true, usedBy: async () => {}, release };
  }
  const path = resolve(given);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(path, 'in-use.lock'), { waitMs: 0 }).catch((error: unknown) => {
    throw new Error(`the ${server} data folder ${path} is in use by another run`, { cause: error });
  });
  const pidFile = join(path, 'server.pid');
  await untilAbandonedServerEnded(pidFile);
  return { path, temporary: false, usedBy: (pid) => writeFile(pidFile, String(pid)), release: lock.release };
}

const temporaryFolders = new Set<string>();

/** An exit while no server runs in the folder, before its first start or after its `kill`, is nothing that a server's watchdog sees. */
function removeAtExit(path: string): void {
  process.off('exit', removeTemporaryFolders).once('exit', removeTemporaryFolders);
  temporaryFolders.add(path);
}

function removeTemporaryFolders(): void {
  for (const path of temporaryFolders) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // A server still writes there; its watchdog removes the folder after it.
    }
  }
}

async function untilAbandonedServerEnded(pidFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!(pid > 0)) return;
  for (let waited = 0; isRunning(pid) && waited < ABANDONED_MS; waited += 100) await wait(100);
}
