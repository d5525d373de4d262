import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, type ServerEnvironment } from './environment.ts';
import type { ServerProgram } from './server-program.ts';

/** `quick`: what is there in seconds. `robust`: what survives more, even if it is built for minutes. */
export type Preference = 'quick' | 'robust';

export async function getMongo(options: {
  readonly environment: ServerEnvironment;
  readonly prefer: Preference;
  readonly report: (line: string) => void;
}): Promise<ServerProgram> {
  const version = '0.5.3-beta.193';
  const file = join(
    cacheFolder(options.environment),
    `secantusd-rs-${version}-${process.platform}-${process.arch}`,
    'bin',
    'secantusd-rs',
  );
  await access(file);
  return { kind: 'program', name: 'secantusd-rs', file, leading: [], version, found: `cached (${file})` };
}
