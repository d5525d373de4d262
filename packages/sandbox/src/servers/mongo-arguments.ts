import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgramName } from './server-program.ts';

/** The arguments that make one of the MongoDB programs keep its documents below `folder` and listen on 127.0.0.1 only. */
export async function mongoArguments(
  name: ProgramName,
  options: { readonly folder: string; readonly port: number; readonly auth: boolean },
): Promise<string[]> {
  const store = join(options.folder, 'db');
  await mkdir(store, { recursive: true, mode: 0o700 });
  const auth = options.auth ? ['--auth'] : [];
  if (name === 'mongod') {
    const log = join(options.folder, 'mongod.log');
    const quiet = ['--logpath', log, '--setParameter', 'diagnosticDataCollectionEnabled=false'];
    const place = ['--dbpath', store, '--bind_ip', '127.0.0.1', '--nounixsocket', '--port', String(options.port)];
    return [...place, '--wiredTigerCacheSizeGB', '0.25', ...quiet, ...auth];
  }
  // An own empty configuration file: otherwise the program looks for one in the home folder and in /etc.
  const configuration = join(options.folder, 'secantusd.toml');
  await writeFile(configuration, '');
  const place = [
    '--config',
    configuration,
    '--host',
    '127.0.0.1',
    '--port',
    String(options.port),
    '--storage-path',
    store,
  ];
  const size = ['--cache-size', '256M', '--log-level', 'WARNING'];
  // A log file is allocated in full: the default of 128 MB would be the size of every empty store.
  const log = name === 'secantusd-rs' ? ['--log-file-max', '16MB'] : [];
  return [...place, ...size, ...log, ...auth];
}
