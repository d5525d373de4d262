import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where one server keeps what it stores. A temporary one is gone after `release`. */
export type DataFolder = {
  readonly path: string;
  readonly temporary: boolean;
  release(): Promise<void>;
};

/** The given folder (made if missing, kept), or a fresh temporary one (removed on release). */
export async function openDataFolder(server: string, given: string | undefined): Promise<DataFolder> {
  if (given !== undefined) {
    const path = resolve(given);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return { path, temporary: false, release: async () => {} };
  }
  const path = await mkdtemp(join(tmpdir(), `pipeline-${server}-`));
  return { path, temporary: true, release: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}
