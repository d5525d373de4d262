import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath } from './executable.ts';
import { installPythonPackages, pythonOf } from './python.ts';
import type { Recipe } from './recipe.ts';
import { runTool } from './run-tool.ts';
import { askVersion } from './version.ts';

const DOWNLOAD_DEADLINE_MS = 15 * 60_000;
const BUILD_DEADLINE_MS = 40 * 60_000;
const ASK_DEADLINE_MS = 60_000;
const MONGOD_VERSION = '8.2.6';
const RUST_VERSION = '0.5.3-beta.193';
const PYTHON_VERSION = '0.7.0b3';

/** The real one. Its site may be out of reach; the program that fetches it gives up after 10 s without an answer. */
const mongod: Recipe = {
  name: 'mongod',
  version: MONGOD_VERSION,
  source: `the official download of MongoDB ${MONGOD_VERSION}`,
  duration: 'about 100 MB',
  kind: 'download',
  isSturdy: true,
  needs: [],
  install: async (folder, { report, scratch }) => {
    const program = fileURLToPath(new URL('../mongod-download/main.ts', import.meta.url));
    await runTool({
      title: 'the download of MongoDB',
      file: process.execPath,
      args: [program, MONGOD_VERSION, scratch, join(folder, 'mongod')],
      // The downloader checks certificates only when told to, and proxies are npm's or the system's.
      env: { npm_config_strict_ssl: 'true', NODE_USE_ENV_PROXY: '1' },
      deadlineMs: DOWNLOAD_DEADLINE_MS,
      report,
    });
  },
  command: (folder) => ({ file: join(folder, 'mongod'), leading: [] }),
  readVersion: (folder) => askVersion(join(folder, 'mongod')),
};

/** A stand-in over MongoDB's own storage engine. GPL-2.0-only beta: started on this machine, never linked or shipped, never for production data. */
const rustServer: Recipe = {
  name: 'secantusd-rs',
  version: RUST_VERSION,
  source: `the crate secantus-mdb ${RUST_VERSION}`,
  duration: 'a build of about 6 minutes on 2 cores',
  kind: 'build',
  isSturdy: true,
  needs: ['cargo', 'cc', 'cmake', 'ninja'],
  install: async (folder, { environment, report, scratch }) => {
    const cargo = await findOnPath('cargo', environment);
    if (cargo === null) throw new Error('cargo is not on PATH');
    // The crate names a newer compiler than it needs. The profile trades speed of the server for two minutes of the build.
    const profile = { LTO: 'off', CODEGEN_UNITS: '16', OPT_LEVEL: '1' };
    const pinned = ['--version', RUST_VERSION, '--locked', '--ignore-rust-version'];
    await runTool({
      file: cargo,
      args: ['install', 'secantus-mdb', ...pinned, '--root', folder, '--target-dir', scratch],
      env: Object.fromEntries(Object.entries(profile).map(([key, value]) => [`CARGO_PROFILE_RELEASE_${key}`, value])),
      deadlineMs: BUILD_DEADLINE_MS,
      report,
    });
  },
  command: (folder) => ({ file: join(folder, 'bin', 'secantusd-rs'), leading: [] }),
  readVersion: (folder) => askVersion(join(folder, 'bin', 'secantusd-rs')),
};

/** The same project's Python server: seconds to install, slower, and it hangs when collections are created at the same time. */
const pythonServer: Recipe = {
  name: 'secantusd-py',
  version: PYTHON_VERSION,
  source: `the Python package SecantusDB ${PYTHON_VERSION}`,
  duration: 'about 15 seconds',
  kind: 'package',
  isSturdy: false,
  needs: ['python3'],
  install: async (folder, workshop) => {
    await installPythonPackages(folder, 'secantusdb', workshop);
    // Shows that all it needs is there, and leaves it compiled: every start is a second faster.
    await askPython(folder, 'import secantus.cli');
  },
  command: (folder) => ({ file: pythonOf(folder), leading: [join(folder, 'bin', 'secantusd-py')] }),
  // It has no --version.
  readVersion: (folder) => askPython(folder, 'import importlib.metadata as m; print(m.version("SecantusDB"))'),
};

function askPython(folder: string, program: string): Promise<string> {
  const env = { PYTHONDONTWRITEBYTECODE: '' };
  return runTool({ file: pythonOf(folder), args: ['-c', program], env, deadlineMs: ASK_DEADLINE_MS });
}

/** The ways to get a MongoDB server, best first. */
export const MONGO_RECIPES: readonly Recipe[] = [mongod, rustServer, pythonServer];
