import { copyFile, mkdir } from 'node:fs/promises';
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core';
import { MongoBinaryDownloadUrl } from 'mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js';

/**
 * `node main.ts <version> <scratch folder> <target file>`: fetches mongod for this machine. Exit 1 with one line on stderr.
 *
 * A program of its own, so that it can be ended in the middle, and because its library is steered by environment variables and prints to stdout.
 */
const CONNECT_LIMIT_MS = 10_000;

const [version = '', scratch = '', target = ''] = process.argv.slice(2);

try {
  await mkdir(scratch, { recursive: true });
  const wanted = await DryMongoBinary.generateOptions({ version, downloadDir: scratch });
  await checkReachable(await new MongoBinaryDownloadUrl(wanted).getDownloadUrl());
  await copyFile(await MongoBinary.getPath({ ...wanted, checkMD5: true }), target);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** The library would try four times for a minute each. */
async function checkReachable(url: string): Promise<void> {
  const { host } = new URL(url);
  const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(CONNECT_LIMIT_MS) }).catch(
    (error: unknown) => {
      throw new Error(`${host} cannot be reached within ${CONNECT_LIMIT_MS / 1_000} s`, { cause: error });
    },
  );
  if (!response.ok) throw new Error(`${host} has no MongoDB ${version} for this machine (${response.status})`);
}
