import { hostname } from 'node:os';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ServiceConfig } from './config.ts';
import { createCrashPoints, type CrashPoint } from './crash-points.ts';
import { createHealthServer, type Readiness } from './health.ts';
import { createLogger, type Logger } from './logger.ts';

/**
 * One process of the product, from boot to exit. Invariants:
 * S1 from the first SIGTERM or SIGINT on it is unready, and a second signal neither shortens nor repeats the shutdown;
 * S2 what was opened last is closed first, one after another, so work ends before the connections that it needs;
 * S3 it exits 0 after a clean shutdown, 1 when something of its own broke or the grace ran out.
 */
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
  onStop(name: string, step: () => Promise<void> | void): void;
  /** Ends the process with 1 after a proper shutdown: for a connection that is gone for good. */
  fail(error: unknown): void;
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
  const stopping = new AbortController();
  const checks = new Map<string, () => Readiness>();
  const steps: { name: string; step: () => Promise<void> | void }[] = [];
  let started = false;

  const health = createHealthServer(
    {
      checks: () => Object.fromEntries([...checks].map(([key, check]) => [key, check()])),
      isStarted: () => started,
      isStopping: () => stopping.signal.aborted,
    },
    registry,
  );
  await health.listen({ host: config.HEALTH_HOST, port: config.HEALTH_PORT });
  const address = health.server.address();
  logger.info({ port: typeof address === 'object' ? address?.port : undefined }, 'health and metrics answer');

  const ended = Promise.withResolvers<never>();
  const shutDown = async (exitCode: number, reason: string): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    logger.info({ reason }, 'shutting down: no new work, finishing what is in hand');
    const forced = setTimeout(() => exit(1, 'the grace period ran out'), config.SHUTDOWN_GRACE_MS);
    let code = exitCode;
    for (const { name: stepName, step } of steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        code = 1;
        logger.error({ err: error, phase: stepName }, 'a step of the shutdown failed');
      }
    }
    await health.close();
    clearTimeout(forced);
    exit(code, 'stopped');
  };
  const exit = (code: number, message: string): void => {
    logger.info({ code }, message);
    process.exit(code);
  };
  const fail = (error: unknown): void => {
    logger.error({ err: error }, 'cannot go on');
    void shutDown(1, 'failure');
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void shutDown(0, signal));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  return {
    name,
    instance: `${name}/${pod}`,
    logger,
    registry,
    crashPoint: createCrashPoints(config.CRASH_AT),
    stopping: stopping.signal,
    addReadiness: (key, check) => void checks.set(key, check),
    onStop: (key, step) => void steps.push({ name: key, step }),
    fail,
    run: () => {
      started = true;
      logger.info({}, 'started');
      return ended.promise;
    },
  };
}
