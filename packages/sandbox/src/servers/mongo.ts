import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { openDataFolder } from './data-folder.ts';
import { serverEnvironment, type ServerEnvironment } from './environment.ts';
import { getMongo, type Preference } from './find-mongo.ts';
import { freePort } from './free-port.ts';
import { mongoArguments } from './mongo-arguments.ts';
import { type MongoUser, putUsers } from './mongo-users.ts';
import { untilReady } from './readiness.ts';
import { type RunningServer, ServerLifecycle, type ServerUser, STOP_GRACE_MS } from './running-server.ts';
import { type ServerProcess, startProcess } from './server-process.ts';
import type { ServerProgram } from './server-program.ts';

export type MongoOptions = {
  /** Where documents are kept; default a temporary folder that `stop` removes. */
  readonly dataDir?: string;
  /** Who may do everything; default `root` with a random password, see {@link RunningMongo.root}. */
  readonly root?: ServerUser;
  /** Made in the admin database (`authSource=admin`); nobody else may do anything. */
  readonly users?: readonly MongoUser[];
  /** `quick` (default) takes what is there in seconds; `robust` may build for minutes. */
  readonly prefer?: Preference;
  /** Takes lines for people: how the server is found, progress of a download or build. */
  readonly report?: (line: string) => void;
  /** Default: this process's. */
  readonly environment?: ServerEnvironment;
};

/** A MongoDB server with authentication on. */
export type RunningMongo = RunningServer & { readonly root: ServerUser };

const START_ATTEMPTS = 3;

/**
 * Starts a MongoDB (or a server that speaks its protocol) with users on a free port of 127.0.0.1. Resolves when it answers;
 * rejects with one sentence. The stand-ins are betas: not for production data.
 */
export async function startMongo(options: MongoOptions = {}): Promise<RunningMongo> {
  const environment = options.environment ?? serverEnvironment();
  const root = options.root ?? { user: 'root', password: randomBytes(18).toString('base64url') };
  const users = options.users ?? [];
  const program = await getMongo({
    environment,
    prefer: options.prefer ?? 'quick',
    report: options.report ?? (() => {}),
  });
  const folder = await openDataFolder('mongo', options.dataDir);
  try {
    const place = { folder: folder.path, temporary: folder.temporary };
    await makeUsers(program, place, root, users);
    const { port, launch, process } = await firstStart(program, place, root);
    const lifecycle = new ServerLifecycle(process, launch, folder.release);
    return {
      url: mongoUrl(port),
      port,
      root,
      name: program.name,
      version: program.version,
      found: program.found,
      users: Object.fromEntries([root, ...users].map(({ user, password }) => [user, { user, password }])),
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

type Place = { readonly folder: string; readonly temporary: boolean };
type FirstStart = { readonly port: number; readonly process: ServerProcess; launch(): Promise<ServerProcess> };

/**
 * Users are made while nobody needs to sign in, on a port that no client knows, before the real start. Doing so every time
 * keeps a kept folder right when its passwords or roles have changed.
 */
async function makeUsers(
  program: ServerProgram,
  place: Place,
  root: ServerUser,
  users: readonly MongoUser[],
): Promise<void> {
  const { port, process } = await firstStart(program, place, undefined);
  try {
    await withClient(port, undefined, (client) => putUsers(client.db('admin'), root, users));
  } finally {
    await process.end(STOP_GRACE_MS);
  }
}

async function firstStart(program: ServerProgram, place: Place, root: ServerUser | undefined): Promise<FirstStart> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const launch = (): Promise<ServerProcess> => launchMongo(program, place, port, root);
    try {
      return { port, launch, process: await launch() };
    } catch (error) {
      if (attempt >= START_ATTEMPTS || !/address (already )?in use/i.test(String(error))) throw error;
    }
  }
}

async function launchMongo(
  program: ServerProgram,
  place: Place,
  port: number,
  root: ServerUser | undefined,
): Promise<ServerProcess> {
  const args = await mongoArguments(program.name, { folder: place.folder, port, auth: root !== undefined });
  const server = await startProcess({
    file: program.file,
    args: [...program.leading, ...args],
    cwd: place.folder,
    temporaryFolder: place.temporary ? place.folder : undefined,
  });
  // Signing in also proves that this is the server started here.
  await untilReady(program.name, server, () =>
    withClient(port, root, async (client) => {
      await client.db('admin').command({ ping: 1 });
    }),
  );
  return server;
}

function mongoUrl(port: number): string {
  return `mongodb://127.0.0.1:${port}/?directConnection=true`;
}

async function withClient(
  port: number,
  user: ServerUser | undefined,
  work: (client: MongoClient) => Promise<void>,
): Promise<void> {
  const client = new MongoClient(mongoUrl(port), {
    ...(user && { auth: { username: user.user, password: user.password }, authSource: 'admin' }),
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: 10_000,
  });
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.close(true);
  }
}
