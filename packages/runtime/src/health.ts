import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** One condition of readiness. `reason` is for the operator and holds no secret. */
export type Readiness = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type HealthState = {
  /** Names of conditions and their present answer. */
  readonly checks: () => Readonly<Record<string, Readiness>>;
  /** The boot is over, so that work can be taken when all conditions hold. */
  readonly isBooted: () => boolean;
  readonly isStopping: () => boolean;
};

/**
 * The operators' side of a service, apart from its work: `/health/live` says that the event loop turns and touches no
 * dependency, `/health/ready` that work can be taken, `/metrics` in Prometheus' text form. `/health/startup` says that the configuration
 * stands and this port answers, and waits for no other system: a restart would bring none back, and end what goes on without it.
 */
export function createHealthServer(state: HealthState, registry: Registry): FastifyInstance {
  const server = Fastify({ logger: false, requestTimeout: 10_000, bodyLimit: 1_024 });
  server.get('/health/live', async () => ({ status: 'live' }));
  server.get('/health/startup', async () => ({ status: 'started' }));
  server.get('/health/ready', async (_request, reply) => {
    const checks = state.checks();
    const ready = state.isBooted() && !state.isStopping() && Object.values(checks).every((check) => check.ok);
    const status = state.isStopping() ? 'stopping' : ready ? 'ready' : 'unready';
    return reply.code(ready ? 200 : 503).send({ status, checks });
  });
  server.get('/metrics', async (_request, reply) => {
    const text = await registry.metrics();
    return reply.type(registry.contentType).send(text);
  });
  return server;
}
