import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, serverEnvironment } from '@pipeline/sandbox/servers';

const run = promisify(execFile);

const VERSION = '5.8.1';
const MODULE = `sigs.k8s.io/kustomize/kustomize/v5@v${VERSION}`;
const BUILD_DEADLINE_MS = 14 * 60_000;
const RENDER_DEADLINE_MS = 60_000;
const MAX_OUTPUT_BYTES = 32 * 1_048_576;

export type Kustomize = {
  /** The YAML of a folder with a `kustomization.yaml`. Rejects with what kustomize says. */
  render(folder: string): Promise<string>;
};

/**
 * Kustomize of one version: out of the cache, or built into it where Go is at hand (half a minute, some minutes on a busy machine).
 * `null` when there is neither, with a line that says so. Two at once build twice and keep one.
 */
export async function getKustomize(report: (line: string) => void): Promise<Kustomize | null> {
  const folder = join(cacheFolder(serverEnvironment()), `kustomize-${VERSION}-${process.platform}-${process.arch}`);
  const file = join(folder, 'kustomize');
  if (!(await isRight(file)) && !(await build(folder, report))) return null;
  return {
    render: async (target) => {
      const { stdout } = await run(file, ['build', target], {
        timeout: RENDER_DEADLINE_MS,
        maxBuffer: MAX_OUTPUT_BYTES,
      });
      return stdout;
    },
  };
}

async function build(folder: string, report: (line: string) => void): Promise<boolean> {
  if (!(await hasGo())) {
    report(
      'SKIPPED: Go is not on PATH, so kustomize cannot be built and no overlay is rendered; the base was checked as it is',
    );
    return false;
  }
  report(`building kustomize ${VERSION} into the cache, once ...`);
  const begun = Date.now();
  await mkdir(join(folder, '..'), { recursive: true });
  const draft = await mkdtemp(`${folder}.draft-`);
  try {
    const env = { ...serverEnvironment(), GOBIN: draft, GOFLAGS: '', CGO_ENABLED: '0' };
    await run('go', ['install', MODULE], { env, timeout: BUILD_DEADLINE_MS, maxBuffer: MAX_OUTPUT_BYTES });
    await rm(folder, { recursive: true, force: true });
    // Another process may have been quicker; what it left is as good.
    await rename(draft, folder).catch(() => undefined);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  report(`kustomize ${VERSION} is built (${Math.round((Date.now() - begun) / 1_000)} s)`);
  return isRight(join(folder, 'kustomize'));
}

async function isRight(file: string): Promise<boolean> {
  try {
    return (await run(file, ['version'], { timeout: 20_000 })).stdout.trim() === `v${VERSION}`;
  } catch {
    return false;
  }
}

async function hasGo(): Promise<boolean> {
  try {
    await run('go', ['version'], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
