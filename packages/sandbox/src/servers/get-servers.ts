import { serverEnvironment, type ServerEnvironment } from './find/environment.ts';
import { getMongo } from './find/mongo.ts';
import { getNats } from './find/nats.ts';
import type { GivenServer, Preference, ServerProgram } from './find/program.ts';

/** Where the two servers come from on this machine. */
export type Servers = { readonly nats: ServerProgram | GivenServer; readonly mongo: ServerProgram | GivenServer };

/**
 * Finds or makes both servers, side by side, so that later starts take a second. Starts nothing.
 * Rejects when one cannot be had, after the other is there; the message says for each what was tried and what to do.
 */
export async function getServers(
  options: {
    readonly prefer?: Preference;
    readonly report?: (line: string) => void;
    readonly environment?: ServerEnvironment;
  } = {},
): Promise<Servers> {
  const { prefer = 'quick', report = () => {}, environment = serverEnvironment() } = options;
  const [nats, mongo] = await Promise.allSettled([
    getNats({ prefer, environment, report: (line) => report(`nats: ${line}`) }),
    getMongo({ prefer, environment, report: (line) => report(`mongo: ${line}`) }),
  ]);
  if (nats.status === 'fulfilled' && mongo.status === 'fulfilled') return { nats: nats.value, mongo: mongo.value };
  const reasons = [nats, mongo].flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  throw new Error(reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('\n\n'));
}
