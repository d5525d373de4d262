import { findProgram, type ServerKind } from './find-program.ts';
import { givenServer } from './given.ts';
import { NATS_RECIPES } from './nats-recipes.ts';
import type { FindOptions, GivenServer, ServerProgram } from './program.ts';

const NATS: ServerKind = {
  title: 'NATS server',
  programs: ['nats-server'],
  recipes: NATS_RECIPES,
  remedies: [
    'install Python 3.10 or newer with pip (`python3 -m pip --version` must work), then run `pnpm servers`',
    'install nats-server 2.10 or newer, so that it is on PATH',
    'set PIPELINE_NATS_URL (and PIPELINE_NATS_USER, PIPELINE_NATS_PASSWORD) to a server with JetStream that already runs',
  ],
};

/** The NATS server of this machine: the URL in the environment, the program on PATH, a cached one, or one that is made now. */
export async function getNats(options: FindOptions): Promise<ServerProgram | GivenServer> {
  return givenServer('PIPELINE_NATS', options) ?? (await findProgram(NATS, options));
}
