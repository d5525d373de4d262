import { hostname } from 'node:os';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ServiceConfig } from './config.ts';
import { createCrashPoints, type CrashPoint } from './crash-points.ts';
import { createHealthServer, type Readiness } from './health.ts';
import { createLogger, type Logger } from './logger.ts';
import { createShutdown } from './shutdown.ts';

/** One process of the product, from boot to exit. How it ends stands in shutdown.ts. */
export type Service = {
  readonly name: string;
  /** Unique among replicas: `<service>/<pod>`. */
  readonly instance: string;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly crashPoint: CrashPoint;
  /** Aborted when the shutdown begins: take no new work. */
  readonly stopping: AbortSignal;
  /** Adds a condition to `/health/ready`. */
  addReadiness(name: string, check: () => Readiness): void;
  /** Adds a step of the shutdown; steps run in reverse order of this call. */
  onStop(name: string, step: () => Promise<unknown> | void): void;
  /** Ends the process with 1 after a proper shutdown: for a connection that is gone for good. */
  fail(error: unknown): void;
  /** Ends the process after a proper shutdown: the work of a job is done (0), or went wrong and was told (1). */
  finish(code: 0 | 1): void;
  /** Says that the boot is over and waits for the end. Call it last. */
  run(): Promise<never>;
};

/** Starts the parts that every service has: logger, metrics, health, signals. The health port answers before this returns. */
export async function createService(name: string, config: ServiceConfig): Promise<Service> {
  const pod = config.POD_NAME ?? hostname();
  const logger = createLogger({ level: config.LOG_LEVEL, bindings: { service: name, pod } });
  const registry = new Registry();
  registry.setDefaultLabels({ service: name });
  collectDefaultMetrics({ register: registry });
  const checks = new Map<string, () => Readiness>();
  const shutdown = createShutdown(logger, config.SHUTDOWN_GRACE_MS);
  let booted = false;

  const health = createHealthServer(
    {
      checks: () => Object.fromEntries([...checks].map(([key, check]) => [key, check()])),
      isBooted: () => booted,
      isStopping: () => shutdown.stopping.aborted,
    },
    registry,
  );
  await health.listen({ host: config.HEALTH_HOST, port: config.HEALTH_PORT });
  const address = health.server.address();
  logger.info({ port: typeof address === 'object' ? address?.port : undefined }, 'health and metrics answer');
  shutdown.onStop('health', () => health.close());

  return {
    name,
    instance: `${name}/${pod}`,
    logger,
    registry,
    crashPoint: createCrashPoints(config.CRASH_AT),
    stopping: shutdown.stopping,
    addReadiness: (key, check) => void checks.set(key, check),
    onStop: shutdown.onStop,
    fail: shutdown.fail,
    finish: shutdown.finish,
    run: () => {
      booted = true;
      logger.info({}, 'started');
      return new Promise<never>(() => undefined);
    },
  };
}
