import { randomBytes } from 'node:crypto';
import { serverEnvironment, type ServerEnvironment } from '../find/environment.ts';
import { getMongo } from '../find/mongo.ts';
import type { Preference, ServerProgram } from '../find/program.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { onFreePorts } from './free-port.ts';
import { adoptMongo } from './given-mongo.ts';
import { mongoArguments } from './mongo-arguments.ts';
import { untilListening, withMongo } from './mongo-client.ts';
import { type MongoUser, putRoot, putUsers } from './mongo-users.ts';
import { untilReady } from './readiness.ts';
import { type RunningServer, runningServer, type ServerUser, STOP_GRACE_MS } from './running-server.ts';
import { type ServerProcess, startProcess } from './server-process.ts';

export type MongoOptions = {
  /** Where documents are kept; default a temporary folder that `stop` removes. */
  readonly dataDir?: string;
  /** Who may do everything; default `root` with a random password, see {@link RunningMongo.root}. */
  readonly root?: ServerUser;
  /** Made in the admin database (`authSource=admin`); nobody else may do anything. */
  readonly users?: readonly MongoUser[];
  /** Default `quick`. */
  readonly prefer?: Preference;
  /** Takes lines for people: how the server is found, progress of a download or build. */
  readonly report?: (line: string) => void;
  /** Default: this process's. */
  readonly environment?: ServerEnvironment;
};

/** `root` is what signs in as the user who may do everything. */
export type RunningMongo = RunningServer & { readonly root: ServerUser };

/**
 * A MongoDB, or a server that speaks its protocol, with authentication on: started on a free port of 127.0.0.1, or the one
 * that the environment names. Resolves when it answers; rejects with one sentence. The stand-ins are betas: not for production data.
 */
export async function startMongo(options: MongoOptions = {}): Promise<RunningMongo> {
  const environment = options.environment ?? serverEnvironment();
  const { report = () => {}, prefer = 'quick', users = [] } = options;
  const root = options.root ?? { user: 'root', password: randomBytes(18).toString('base64url') };
  const found = await getMongo({ environment, prefer, report });
  if (found.kind === 'given') return { ...(await adoptMongo(found, root, users)), root: found.user ?? root };
  const folder = await openDataFolder('mongo', options.dataDir);
  try {
    return await startHere(found, folder, root, users);
  } catch (error) {
    await folder.release();
    throw error;
  }
}

async function startHere(
  program: ServerProgram,
  folder: DataFolder,
  root: ServerUser,
  users: readonly MongoUser[],
): Promise<RunningMongo> {
  await makeUsers(program, folder, root, users);
  const { ports, started } = await onFreePorts(1, ([port = 0]) => launchMongo(program, folder, port, root));
  const [port = 0] = ports;
  const server = runningServer(program, folder, {
    url: mongoUrl(port),
    port,
    users: [root, ...users],
    process: started,
    launch: () => launchMongo(program, folder, port, root),
  });
  return Object.assign(server, { root });
}

/**
 * Users are made while nobody needs to sign in, on a port that no client knows, before the real start. Doing so every time
 * keeps a kept folder right when passwords or roles have changed.
 */
async function makeUsers(
  program: ServerProgram,
  folder: DataFolder,
  root: ServerUser,
  users: readonly MongoUser[],
): Promise<void> {
  const { ports, started } = await onFreePorts(1, ([port = 0]) => launchMongo(program, folder, port, null));
  try {
    await withMongo(mongoUrl(ports[0] ?? 0), null, async (client) => {
      await putRoot(client.db('admin'), root);
      await putUsers(client.db('admin'), users);
    });
  } finally {
    await started.end(STOP_GRACE_MS);
  }
}

async function launchMongo(
  program: ServerProgram,
  folder: DataFolder,
  port: number,
  root: ServerUser | null,
): Promise<ServerProcess> {
  const args = await mongoArguments(program.name, { folder: folder.path, port, auth: root !== null });
  const server = await startProcess({
    file: program.file,
    args: [...program.leading, ...args],
    cwd: folder.path,
    temporaryFolder: folder.temporary ? folder.path : undefined,
  });
  await folder.usedBy(server.pid);
  await untilReady(program.name, server, async () => {
    await untilListening(port);
    // Signing in with our root also proves that this is the server started here.
    await withMongo(mongoUrl(port), root, (client) => client.db('admin').command({ ping: 1 }));
  });
  return server;
}

function mongoUrl(port: number): string {
  return `mongodb://127.0.0.1:${port}/?directConnection=true`;
}
