import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** One condition of readiness. `reason` is for the operator and holds no secret. */
export type Readiness = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type HealthState = {
  /** Names of conditions and their present answer. */
  readonly checks: () => Readonly<Record<string, Readiness>>;
  readonly isStarted: () => boolean;
  readonly isStopping: () => boolean;
};

/**
 * The operators' side of a service, apart from its work: `/health/live` says that the event loop turns and touches no
 * dependency, `/health/ready` that work can be taken, `/health/startup` that the boot is over, `/metrics` in Prometheus' text form.
 */
export function createHealthServer(state: HealthState, registry: Registry): FastifyInstance {
  const server = Fastify({ logger: false, requestTimeout: 10_000, bodyLimit: 1_024 });
  server.get('/health/live', async () => ({ status: 'live' }));
  server.get('/health/startup', async (_request, reply) =>
    reply.code(state.isStarted() ? 200 : 503).send({ status: state.isStarted() ? 'started' : 'starting' }),
  );
  server.get('/health/ready', async (_request, reply) => {
    const checks = state.checks();
    const ready = state.isStarted() && !state.isStopping() && Object.values(checks).every((check) => check.ok);
    const status = state.isStopping() ? 'stopping' : ready ? 'ready' : 'unready';
    return reply.code(ready ? 200 : 503).send({ status, checks });
  });
  server.get('/metrics', async (_request, reply) => {
    const text = await registry.metrics();
    return reply.type(registry.contentType).send(text);
  });
  return server;
}
