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
import { BrokerError, describeBrokerFailure } from './broker-error.ts';
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

/** The client says nothing while it waits for the first connect, so we do. */
const WAITING_LINE_MS = 10_000;

/** Milliseconds that one request to the broker may take. */
export const REQUEST_TIMEOUT_MS = 5_000;

/**
 * A service's connection. It waits for the first connect and never gives up afterwards, also when the credentials are refused:
 * they may be in rotation. So a queue that looks idle may be a dead connection, which `isConnected` tells.
 */
export async function openConnection(who: ConnectionIdentity): Promise<Connection> {
  const waiting = setInterval(() => who.logger.warn({}, 'not connected to NATS yet, still trying'), WAITING_LINE_MS);
  try {
    const nc = await connect({ ...connectOptions(who), maxReconnectAttempts: -1, waitOnFirstConnect: true });
    return watched(nc, await clients(nc, who), who);
  } finally {
    clearInterval(waiting);
  }
}

/** An operator's connection: a server that is not there is an answer, given within seconds. Throws a BrokerError. */
export async function openOperatorConnection(who: ConnectionIdentity): Promise<Connection> {
  try {
    const nc = await connect({ ...connectOptions(who), maxReconnectAttempts: 5, timeout: REQUEST_TIMEOUT_MS });
    return watched(nc, await clients(nc, who), who);
  } catch (error) {
    throw new BrokerError(`no NATS at ${who.config.NATS_URL}: ${describeBrokerFailure(error)}`, { cause: error });
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
