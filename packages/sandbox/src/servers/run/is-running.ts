import { readFileSync } from 'node:fs';

/**
 * Whether a process of this id runs on this host; it may be another program by now. One that has ended and waits for its parent
 * to notice does not run: in a container without an init process it may wait for ever.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
  return !isZombie(pid);
}

/** Linux only, elsewhere false. The state follows the program's name, which is in brackets and may hold any character. */
function isZombie(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return status.slice(status.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
