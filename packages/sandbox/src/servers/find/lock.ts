import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning } from '../run/is-running.ts';

export type LockOptions = {
  /** How long to wait for another holder, ms. */
  readonly waitMs: number;
  /** Told once when another process holds the lock. */
  readonly onWait?: (holder: { readonly pid: number }) => void;
};

/** A held lock; `release` twice is harmless. */
export type Lock = { release(): Promise<void> };

const POLL_MS = 150;
const HEARTBEAT_MS = 5_000;
/** A holder on another host is judged by its heartbeat alone; one of this host also by its process id. */
const STALE_MS = 60_000;

/**
 * Takes a lock file: one holder among all processes that share the folder.
 * A lock whose holder died is taken over. Rejects when another one holds it longer than `waitMs`.
 */
export async function takeLock(path: string, options: LockOptions): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  const holder: Holder = { id: randomUUID(), pid: process.pid, host: hostname() };
  const until = Date.now() + options.waitMs;
  let told = false;
  while (!(await createExclusively(path, JSON.stringify(holder)))) {
    const other = await readHolder(path);
    if (other && (await isDead(path, other)) && (await removeDeadLock(path, other))) continue;
    if (Date.now() > until) throw new Error(`${path} is held by process ${other?.pid ?? 'unknown'}`);
    if (other && !told) options.onWait?.(other);
    told ||= other !== null;
    await wait(POLL_MS);
  }
  const heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS);
  heartbeat.unref();
  return {
    release: async () => {
      clearInterval(heartbeat);
      if ((await readHolder(path))?.id === holder.id) await rm(path, { force: true });
    },
  };
}

type Holder = { readonly id: string; readonly pid: number; readonly host: string };

async function createExclusively(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Null when the lock is free by now, or when its holder has created it and not yet written its name. */
async function readHolder(path: string): Promise<Holder | null> {
  try {
    const read: unknown = JSON.parse(await readFile(path, 'utf8'));
    const { id, pid, host } = read as Partial<Holder>; // written by createExclusively, checked here
    if (typeof id === 'string' && typeof pid === 'number' && typeof host === 'string') return { id, pid, host };
  } catch {
    // Half written or gone: judged by its age.
  }
  const age = await ageMs(path);
  return age !== null && age > STALE_MS ? { id: 'unreadable', pid: 0, host: '' } : null;
}

async function isDead(path: string, holder: Holder): Promise<boolean> {
  const age = await ageMs(path);
  if (age === null) return false;
  return age > STALE_MS || (holder.host === hostname() && !isRunning(holder.pid));
}

/**
 * Removes the lock of a dead holder; false when another process is doing so. Two processes may see the same dead holder: only the
 * one that creates the marker of exactly this holder may remove the lock, and only while it is still that holder's. Otherwise the
 * slower one would remove the lock that the faster one has taken since.
 */
export async function removeDeadLock(path: string, dead: Pick<Holder, 'id'>): Promise<boolean> {
  const marker = `${path}.${dead.id}`;
  if (!(await createExclusively(marker, ''))) {
    const age = await ageMs(marker);
    if (age !== null && age > STALE_MS) await rm(marker, { force: true });
    return false;
  }
  if ((await readHolder(path))?.id === dead.id) await rm(path, { force: true });
  await rm(marker, { force: true });
  return true;
}

async function ageMs(path: string): Promise<number | null> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return null;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
