import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  Events,
  type ConnectionOptions,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
} from 'nats';
import type { Identity } from '@pipeline/contracts';
import { createBrokerClock, type BrokerClock } from './broker-clock.ts';
import { BrokerError } from './broker-error.ts';
import { describeConnectFailure } from './connect-failure.ts';
import type { Log } from './log.ts';

/** The environment's part of a connection and of the streams' shape; the parsed `brokerVariables` of the runtime fit. */
export type BrokerConfig = {
  readonly NATS_URL: string;
  readonly NATS_USER: string;
  readonly NATS_PASSWORD: string;
  readonly STREAM_REPLICAS: number;
  readonly STREAM_MAX_BYTES: number;
  readonly STREAM_MAX_AGE_HOURS: number;
  readonly MAX_ACK_PENDING: number;
  readonly ACK_WAIT_MS: number;
};

/** Who connects. `instance` is `<service>/<pod>`; `identity` names the private inbox that the server's permissions allow. */
export type ConnectionIdentity = {
  readonly config: BrokerConfig;
  readonly identity: Identity;
  readonly instance: string;
  readonly logger: Log;
};

export type Connection = {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly config: BrokerConfig;
  readonly instance: string;
  /** Told by every answer that carries the time. */
  readonly clock: BrokerClock;
  isConnected(): boolean;
};

/** Changes worth a line; the others repeat every second while a server is away. */
const TOLD: ReadonlySet<string> = new Set([Events.Disconnect, Events.Reconnect, Events.Error]);

/** Milliseconds until somebody is told why there is no first connection yet, and then between two such lines. */
const FIRST_LINE_MS = 2_000;
const NEXT_LINE_MS = 10_000;

/** Milliseconds that one request to the broker may take. */
export const REQUEST_TIMEOUT_MS = 5_000;

/**
 * A service's connection. It waits for the first connect and never gives up afterwards, also when the credentials are refused:
 * they may be in rotation. So a queue that looks idle may be a dead connection, which `isConnected` tells. `onFailed` is told
 * meanwhile why there is none, as a sentence.
 */
export async function openConnection(
  who: ConnectionIdentity,
  onFailed: (reason: string) => void = () => undefined,
): Promise<Connection> {
  const connected = new AbortController();
  void tellWhy(who, onFailed, connected.signal);
  try {
    const nc = await connect({ ...connectOptions(who), maxReconnectAttempts: -1, waitOnFirstConnect: true });
    return watched(nc, await clients(nc, who), who);
  } finally {
    connected.abort();
  }
}

/** The client says nothing while it waits for the first connect, so tries of our own ask why: one at a time, never many. */
async function tellWhy(
  who: ConnectionIdentity,
  onFailed: (reason: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await sleep(FIRST_LINE_MS, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    const reason = await reasonAgainst(who);
    if (signal.aborted) return;
    if (reason !== null) {
      onFailed(reason);
      who.logger.warn({ reason }, 'not connected to NATS yet, still trying');
    }
    await sleep(NEXT_LINE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Why a connection cannot be made now; null when it can. */
async function reasonAgainst(who: ConnectionIdentity): Promise<string | null> {
  try {
    const nc = await connect({ ...connectOptions(who), reconnect: false });
    await nc.close();
    return null;
  } catch (error) {
    return describeConnectFailure(error);
  }
}

/** An operator's connection: a server that is not there is an answer, given within seconds. Throws a BrokerError. */
export async function openOperatorConnection(who: ConnectionIdentity): Promise<Connection> {
  try {
    const nc = await connect({ ...connectOptions(who), maxReconnectAttempts: 5 });
    return watched(nc, await clients(nc, who), who);
  } catch (error) {
    throw new BrokerError(`no NATS at ${who.config.NATS_URL}: ${describeConnectFailure(error)}`, { cause: error });
  }
}

/** The prefix of an identity's private inboxes; its permissions allow no other subscription. */
export function inboxPrefix(identity: Identity): string {
  return `_INBOX.${identity}`;
}

function connectOptions({ config, identity, instance }: ConnectionIdentity): ConnectionOptions {
  const urls = config.NATS_URL.split(',');
  return {
    servers: urls.map((url) => url.replace(/^(nats|tls):\/\//, '')),
    ...(urls.some((url) => url.startsWith('tls://')) ? { tls: {} } : {}),
    name: instance,
    user: config.NATS_USER,
    pass: config.NATS_PASSWORD,
    inboxPrefix: inboxPrefix(identity),
    // One try: the next one goes to another server where NATS_URL names several.
    timeout: REQUEST_TIMEOUT_MS,
    reconnectTimeWait: 1_000,
    reconnectJitter: 1_000,
    // A hung peer shows after pingInterval x (maxPingOut + 1), one minute.
    pingInterval: 20_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  };
}

async function clients(nc: NatsConnection, { config, instance }: ConnectionIdentity) {
  // checkAPI asks for account information, a right that services do not have.
  const options = { timeout: REQUEST_TIMEOUT_MS, checkAPI: false };
  return {
    js: nc.jetstream(options),
    jsm: await nc.jetstreamManager(options),
    config,
    instance,
    clock: createBrokerClock(),
  };
}

function watched(
  nc: NatsConnection,
  parts: Omit<Connection, 'nc' | 'isConnected'>,
  { logger }: ConnectionIdentity,
): Connection {
  let connected = true;
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === Events.Disconnect) connected = false;
      if (status.type === Events.Reconnect) connected = true;
      if (!TOLD.has(status.type)) continue;
      logger.warn({ status: status.type, reason: reasonOf(status.data) }, 'the connection to NATS changed');
    }
  })();
  return { nc, ...parts, isConnected: () => connected && !nc.isClosed() };
}

function reasonOf(content: unknown): string {
  return typeof content === 'string' ? content : typeof content;
}
