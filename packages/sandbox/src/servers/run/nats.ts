import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serverEnvironment, type ServerEnvironment } from '../find/environment.ts';
import { getNats } from '../find/nats.ts';
import type { ServerProgram } from '../find/program.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { onFreePorts } from './free-port.ts';
import { adoptNats } from './given-nats.ts';
import { natsConfig, type NatsUser } from './nats-config.ts';
import { probeNats } from './nats-probe.ts';
import { untilReady } from './readiness.ts';
import { type RunningServer, runningServer } from './running-server.ts';
import { type ServerProcess, startProcess } from './server-process.ts';

export type NatsOptions = {
  /** Where streams are kept; default a temporary folder that `stop` removes. */
  readonly dataDir?: string;
  /** Default: nobody needs to sign in. */
  readonly users?: readonly NatsUser[];
  /** Largest message, bytes; default 1 MiB as in production. */
  readonly maxPayload?: number;
  /** Largest total of file storage, bytes; default 4 GiB (a stream with a size reserves it). */
  readonly maxFileStore?: number;
  /** Takes lines for people: how the server is found, progress of a download or build. */
  readonly report?: (line: string) => void;
  /** Default: this process's. */
  readonly environment?: ServerEnvironment;
};

/** `monitorUrl` answers the monitoring endpoints (`/varz`, `/jsz`, `/connz`, `/healthz`); null for a given server. */
export type RunningNats = RunningServer & { readonly monitorUrl: string | null };

const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const DEFAULT_MAX_FILE_STORE = 4 * 1024 ** 3;

/**
 * A NATS server with JetStream: started on a free port of 127.0.0.1, or the one that the environment names.
 * Resolves when it answers; rejects with one sentence.
 */
export async function startNats(options: NatsOptions = {}): Promise<RunningNats> {
  const environment = options.environment ?? serverEnvironment();
  const found = await getNats({ environment, report: options.report ?? (() => {}), prefer: 'quick' });
  if (found.kind === 'given') return { ...(await adoptNats(found, options.users ?? [])), monitorUrl: null };
  const folder = await openDataFolder('nats', options.dataDir);
  try {
    return await startHere(found, folder, options);
  } catch (error) {
    await folder.release();
    throw error;
  }
}

async function startHere(program: ServerProgram, folder: DataFolder, options: NatsOptions): Promise<RunningNats> {
  const { ports, started } = await onFreePorts(2, ([port = 0, monitorPort = 0]) =>
    launchNats(program, folder, { port, monitorPort }, options),
  );
  const [port = 0, monitorPort = 0] = ports;
  const server = runningServer(program, folder, {
    url: `nats://127.0.0.1:${port}`,
    port,
    users: options.users ?? [],
    process: started,
    launch: () => launchNats(program, folder, { port, monitorPort }, options),
  });
  return Object.assign(server, { monitorUrl: `http://127.0.0.1:${monitorPort}` });
}

async function launchNats(
  program: ServerProgram,
  folder: DataFolder,
  ports: { readonly port: number; readonly monitorPort: number },
  options: NatsOptions,
): Promise<ServerProcess> {
  // A fresh name each time proves that the server which answers is the one started here.
  const serverName = `pipeline-${randomBytes(6).toString('hex')}`;
  const users = options.users ?? [];
  const file = join(folder.path, 'nats.conf');
  const config = natsConfig({
    ...ports,
    serverName,
    users,
    storeFolder: join(folder.path, 'jetstream'),
    maxPayload: options.maxPayload ?? DEFAULT_MAX_PAYLOAD,
    maxFileStore: options.maxFileStore ?? DEFAULT_MAX_FILE_STORE,
  });
  await writeFile(file, config, { mode: 0o600 });
  const server = await startProcess({
    file: program.file,
    args: [...program.leading, '--config', file],
    cwd: folder.path,
    temporaryFolder: folder.temporary ? folder.path : undefined,
  });
  await folder.usedBy(server.pid);
  await untilReady(program.name, server, async (signal) => {
    const greeting = await probeNats({ host: '127.0.0.1', port: ports.port }, { user: users[0] ?? null }, signal);
    if (greeting.serverName !== serverName) throw new Error(`another server answers on port ${ports.port}`);
    if (!greeting.jetstream) throw new Error('JetStream is off');
  });
  return server;
}
