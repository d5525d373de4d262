import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from './data-folder.ts';
import { serverEnvironment, type ServerEnvironment } from './environment.ts';
import { getNats } from './find-nats.ts';
import { freePort } from './free-port.ts';
import { natsConfig, type NatsUser } from './nats-config.ts';
import { probeNats } from './nats-probe.ts';
import { untilReady } from './readiness.ts';
import { type RunningServer, ServerLifecycle } from './running-server.ts';
import { type ServerProcess, startProcess } from './server-process.ts';
import type { ServerProgram } from './server-program.ts';

export type NatsOptions = {
  /** Where streams are kept; default a temporary folder that `stop` removes. */
  readonly dataDir?: string;
  /** Default: nobody needs to sign in. */
  readonly users?: readonly NatsUser[];
  /** Largest message, bytes; default 1 MiB as in production. */
  readonly maxPayload?: number;
  /** Largest total of file storage, bytes; default 4 GiB (sized streams reserve theirs). */
  readonly maxFileStore?: number;
  /** Takes lines for people: how the server is found, progress of a download or build. */
  readonly report?: (line: string) => void;
  /** Default: this process's. */
  readonly environment?: ServerEnvironment;
};

/** A NATS server; `monitorUrl` answers its monitoring endpoints (`/varz`, `/jsz`, `/connz`, `/healthz`). */
export type RunningNats = RunningServer & { readonly monitorUrl: string };

const START_ATTEMPTS = 3;
const DEFAULTS = { maxPayload: 1024 * 1024, maxFileStore: 4 * 1024 ** 3 };

/** Starts a NATS server with JetStream on a free port of 127.0.0.1. Resolves when it answers; rejects with one sentence. */
export async function startNats(options: NatsOptions = {}): Promise<RunningNats> {
  const environment = options.environment ?? serverEnvironment();
  const program = await getNats({ environment, report: options.report ?? (() => {}) });
  const folder = await openDataFolder('nats', options.dataDir);
  try {
    const { port, monitorPort, launch, process } = await firstStart(program, folder.path, folder.temporary, options);
    const lifecycle = new ServerLifecycle(process, launch, folder.release);
    return {
      url: `nats://127.0.0.1:${port}`,
      monitorUrl: `http://127.0.0.1:${monitorPort}`,
      port,
      name: program.name,
      version: program.version,
      found: program.found,
      users: Object.fromEntries((options.users ?? []).map(({ user, password }) => [user, { user, password }])),
      get pid() {
        return lifecycle.pid;
      },
      stop: () => lifecycle.stop(),
      kill: () => lifecycle.kill(),
      restart: () => lifecycle.restart(),
    };
  } catch (error) {
    await folder.release();
    throw error;
  }
}

type FirstStart = {
  readonly port: number;
  readonly monitorPort: number;
  readonly process: ServerProcess;
  launch(): Promise<ServerProcess>;
};

/** A port that was free can be taken before the server has it: a server that ends at once is tried on other ports. */
async function firstStart(
  program: ServerProgram,
  folder: string,
  temporary: boolean,
  options: NatsOptions,
): Promise<FirstStart> {
  for (let attempt = 1; ; attempt += 1) {
    const [port, monitorPort] = [await freePort(), await freePort()];
    const launch = (): Promise<ServerProcess> => launchNats(program, { folder, temporary, port, monitorPort, options });
    try {
      return { port, monitorPort, launch, process: await launch() };
    } catch (error) {
      if (attempt >= START_ATTEMPTS || !/address already in use/.test(String(error))) throw error;
    }
  }
}

type Launch = {
  readonly folder: string;
  readonly temporary: boolean;
  readonly port: number;
  readonly monitorPort: number;
  readonly options: NatsOptions;
};

async function launchNats(program: ServerProgram, launch: Launch): Promise<ServerProcess> {
  const { folder, temporary, port, monitorPort, options } = launch;
  // A fresh name each time proves that the server which answers is the one started here.
  const serverName = `pipeline-${randomBytes(6).toString('hex')}`;
  const users = options.users ?? [];
  const limits = {
    maxPayload: options.maxPayload ?? DEFAULTS.maxPayload,
    maxFileStore: options.maxFileStore ?? DEFAULTS.maxFileStore,
  };
  const file = join(folder, 'nats.conf');
  const storeFolder = join(folder, 'jetstream');
  await writeFile(file, natsConfig({ serverName, port, monitorPort, storeFolder, users, ...limits }), { mode: 0o600 });
  const server = await startProcess({
    file: program.file,
    args: [...program.leading, '--config', file],
    cwd: folder,
    temporaryFolder: temporary ? folder : undefined,
  });
  await untilReady(program.name, server, async (signal) => {
    const greeting = await probeNats({ host: '127.0.0.1', port }, users[0], signal);
    if (greeting.serverName !== serverName) throw new Error(`another server answers on port ${port}`);
    if (!greeting.jetstream) throw new Error('JetStream is off');
  });
  return server;
}
