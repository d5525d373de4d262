import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, type ServerEnvironment } from './environment.ts';
import type { ServerProgram } from './server-program.ts';

export async function getNats(options: {
  readonly environment: ServerEnvironment;
  readonly report: (line: string) => void;
}): Promise<ServerProgram> {
  const file = join(
    cacheFolder(options.environment),
    `nats-server-2.15.1-${process.platform}-${process.arch}`,
    'bin',
    'nats-server',
  );
  await access(file);
  return { kind: 'program', name: 'nats-server', file, leading: [], version: '2.15.1', found: `cached (${file})` };
}
