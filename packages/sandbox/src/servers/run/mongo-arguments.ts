import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgramName } from '../find/program.ts';

/** The arguments that make a MongoDB program keep its documents below `folder` and listen on 127.0.0.1 only; makes what they name. */
export async function mongoArguments(
  name: ProgramName,
  options: { readonly folder: string; readonly port: number; readonly auth: boolean },
): Promise<string[]> {
  const store = join(options.folder, 'db');
  await mkdir(store, { recursive: true, mode: 0o700 });
  const port = ['--port', String(options.port)];
  const auth = options.auth ? ['--auth'] : [];
  if (name === 'mongod') {
    const place = ['--dbpath', store, '--bind_ip', '127.0.0.1', '--nounixsocket', ...port];
    const size = ['--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false'];
    return [...place, ...size, '--quiet', ...auth];
  }
  // An empty configuration file of our own: otherwise the program looks for one in the home folder and in /etc.
  const configuration = join(options.folder, 'secantusd.toml');
  await writeFile(configuration, '');
  const place = ['--config', configuration, '--host', '127.0.0.1', ...port, '--storage-path', store];
  const size = ['--cache-size', '256M', '--log-level', 'WARNING'];
  // A log file is allocated in full: the default of 128 MB would be the size of every empty store.
  const log = name === 'secantusd-rs' ? ['--log-file-max', '16MB'] : [];
  // Without it an acknowledged write waits in the memory of the process, also with `j: true`, and SIGKILL loses it.
  return [...place, ...size, ...log, '--sync-on-commit', ...auth];
}
