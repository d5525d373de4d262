import { fileURLToPath } from 'node:url';
import { serviceEnvironment, type ServiceName } from './environment.ts';
import { startService, type ServiceLine, type ServiceProcess } from './service-process.ts';
import type { StackOptions } from './options.ts';
import type { World } from './world.ts';

const READY_MS = 30_000;

/** The running processes of the services. */
export type Fleet = {
  /** Starts more processes of a service and waits until they are ready. `extra` differs from the stack's own variables. */
  start(service: ServiceName, count?: number, extra?: Readonly<Record<string, string>>): Promise<ServiceProcess[]>;
  /** Starts a program that ends by itself, such as one run of reconciler; resolves with its exit code, null when it was killed. */
  runToEnd(service: ServiceName, extra?: Readonly<Record<string, string>>): Promise<number | null>;
  /** The living processes of a service. */
  of(service: ServiceName): ServiceProcess[];
  /** SIGTERM to all processes of a service, or of all services; resolves with their exit codes. */
  stop(service?: ServiceName): Promise<(number | null)[]>;
};

/** Keeps track of service processes; media-gateways are added to the line that the telephone calls. */
export function startFleet(world: World, options: StackOptions, onLine: (line: ServiceLine) => void): Fleet {
  const processes: ServiceProcess[] = [];
  let started = 0;

  const overridesOf = (service: ServiceName): Readonly<Record<string, string>> => {
    const overrides = options.overrides?.[service] ?? {};
    return typeof overrides === 'function' ? overrides(world.surroundings) : overrides;
  };
  const launch = async (service: ServiceName, extra: Readonly<Record<string, string>>): Promise<ServiceProcess> => {
    started += 1;
    const running = await startService({
      service,
      instance: `${service}-${started}`,
      entry: fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url)),
      preload: options.preload?.[service] ?? [],
      environment: { ...serviceEnvironment(service, world.surroundings), ...overridesOf(service), ...extra },
      onLine,
    });
    processes.push(running);
    return running;
  };
  const startOne = async (service: ServiceName, extra: Readonly<Record<string, string>>): Promise<ServiceProcess> => {
    const running = await launch(service, extra);
    await running.ready(READY_MS);
    if (service === 'media-gateway') world.gateways.add(running, await running.portOf(GATEWAY_LISTENS));
    return running;
  };

  return {
    start: (service, count = 1, extra = {}) =>
      Promise.all(Array.from({ length: count }, () => startOne(service, extra))),
    runToEnd: async (service, extra = {}) => (await launch(service, extra)).ended,
    of: (service) => processes.filter((one) => one.service === service && one.isAlive()),
    stop: (service) => {
      const chosen = processes.filter((one) => (service === undefined || one.service === service) && one.isAlive());
      return Promise.all(chosen.map((one) => one.stop()));
    },
  };
}

/** What media-gateway logs when its HTTP port answers. */
const GATEWAY_LISTENS = 'Twilio is answered';
