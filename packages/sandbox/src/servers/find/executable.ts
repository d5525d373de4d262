import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { ServerEnvironment } from './environment.ts';

/** The absolute path of the first program of this name on PATH, or null. */
export async function findOnPath(name: string, environment: ServerEnvironment): Promise<string | null> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (isAbsolute(folder) && (await isExecutable(file))) return file;
  }
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
