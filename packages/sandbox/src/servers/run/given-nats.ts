import type { GivenServer } from '../find/program.ts';
import { refusal } from '../find/version.ts';
import { givenRunningServer } from './given-server.ts';
import type { NatsUser } from './nats-config.ts';
import { probeNats } from './nats-probe.ts';
import type { RunningServer } from './running-server.ts';

const ANSWER_LIMIT_MS = 5_000;
const DEFAULT_PORT = 4_222;

/** Checks that the given NATS server answers, is new enough and has JetStream. Rejects with one sentence. */
export async function adoptNats(given: GivenServer, users: readonly NatsUser[]): Promise<RunningServer> {
  const { hostname, port: written, protocol } = new URL(given.url);
  const port = Number(written) || DEFAULT_PORT;
  const login = { user: given.user, greetingOnly: protocol === 'tls:' };
  const address = { host: hostname, port };
  const greeting = await probeNats(address, login, AbortSignal.timeout(ANSWER_LIMIT_MS)).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the NATS server ${given.found} cannot be used: ${why}`, { cause: error });
  });
  const reason = refusal('nats-server', greeting.version);
  if (reason !== null) throw new Error(`the NATS server ${given.found} cannot be used: ${reason}`);
  if (!greeting.jetstream) throw new Error(`the NATS server ${given.found} cannot be used: JetStream is off`);
  const entries = users.map(({ user, password }) => [user, given.user ?? { user, password }]);
  return givenRunningServer(given, {
    name: 'nats-server',
    version: greeting.version,
    port,
    users: Object.fromEntries(entries),
    stop: async () => {},
  });
}
