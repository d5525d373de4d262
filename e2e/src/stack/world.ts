import { randomBytes } from 'node:crypto';
import { businessSettingsSchema } from '@pipeline/contracts';
import {
  loadBusinesses,
  loadDialogues,
  loadInterruptedDialogues,
  startAiProvider,
  startTelephone,
  startWebhookReceiver,
  type AiProvider,
  type Dialogue,
  type PlacedCall,
  type Telephone,
  type WebhookReceiver,
} from '@pipeline/sandbox';
import {
  serverEnvironment,
  startMongo,
  startNats,
  type RunningMongo,
  type RunningNats,
} from '@pipeline/sandbox/servers';
import type { Surroundings } from './environment.ts';
import { createGateways, type Gateways } from './gateways.ts';
import { brokerUsers, createCredentials, databaseUsers, type Credentials } from './identities.ts';
import { operate } from './operator.ts';
import type { StackOptions } from './options.ts';
import { twilioNumber } from './twilio-number.ts';

/** Everything around the five services. */
export type World = {
  readonly nats: RunningNats;
  readonly mongo: RunningMongo;
  readonly telephone: Telephone;
  readonly provider: AiProvider;
  readonly receiver: WebhookReceiver;
  readonly dialogues: readonly Dialogue[];
  /** Dialogues in which the caller cuts the agent short: not every word of them is heard. */
  readonly interruptions: readonly Dialogue[];
  readonly gateways: Gateways;
  readonly surroundings: Surroundings;
  /** Saves the settings of the sandbox's businesses, with the receiver of this machine as their endpoint. */
  storeBusinesses(): Promise<void>;
  placeCall(dialogueId: string, options?: { readonly speed?: number }): Promise<PlacedCall>;
  stop(): Promise<void>;
};

/** What the telephone signs; no request goes there, the gateways are behind it. */
const PUBLIC_BASE_URL = 'https://calls.pipeline.test';
/** Calls of tests: twenty times real time. */
const DEFAULT_SPEED = 20;

/** Where `callctl webhooks listen` listens. */
const LISTEN_ORIGIN = 'http://127.0.0.1:8977';

/** Starts servers and sandbox and provisions both. */
export async function startWorld(options: StackOptions, report: (line: string) => void): Promise<World> {
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    const credentials = createCredentials();
    const { nats, mongo } = await startServers(options, credentials, report, closing);
    const outside = await startOutside(closing);
    const surroundings = surroundingsOf(nats, mongo, credentials, outside, options);
    const printed = await operate(['provision', '--json'], 'provision', surroundings);
    const { lines } = JSON.parse(printed) as { readonly lines: readonly string[] }; // callctl's form
    report(`provisioned: ${lines.length} streams, consumers, buckets, collections and indexes`);
    const placeCall: World['placeCall'] = (dialogueId, { speed = DEFAULT_SPEED } = {}) => {
      const dialogue = [...outside.dialogues, ...outside.interruptions].find((one) => one.id === dialogueId);
      if (dialogue === undefined) throw new Error(`there is no dialogue ${dialogueId}`);
      return outside.telephone.placeCall({ dialogue, speed });
    };
    return {
      nats,
      mongo,
      ...outside,
      surroundings,
      storeBusinesses: () => storeBusinesses(surroundings, outside),
      placeCall,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startServers(
  options: StackOptions,
  credentials: Credentials,
  report: (line: string) => void,
  closing: (() => Promise<unknown>)[],
): Promise<{ nats: RunningNats; mongo: RunningMongo }> {
  const environment = options.environment ?? serverEnvironment();
  const folder = (name: string) => (options.dataDir === undefined ? {} : { dataDir: `${options.dataDir}/${name}` });
  const users = databaseUsers(credentials, '').map((user) => ({
    ...user,
    roles: { ...user.roles, ...options.extraRoles?.[user.user] },
  }));
  const starting = [
    startNats({ environment, users: brokerUsers(credentials), report, ...folder('nats') }),
    startMongo({ environment, users, prefer: options.prefer ?? 'robust', report, ...folder('mongo') }),
  ] as const;
  for (const one of starting) one.then((server) => closing.push(() => server.stop())).catch(() => undefined);
  await Promise.allSettled(starting);
  const [nats, mongo] = await Promise.all(starting);
  return { nats, mongo };
}

type Outside = {
  readonly telephone: Telephone;
  readonly provider: AiProvider;
  readonly receiver: WebhookReceiver;
  readonly dialogues: readonly Dialogue[];
  readonly interruptions: readonly Dialogue[];
  readonly gateways: Gateways;
  readonly twilio: Surroundings['twilio'];
  readonly providerKey: string;
  readonly webhookSecret: string;
};

async function startOutside(closing: (() => Promise<unknown>)[]): Promise<Outside> {
  const twilio = {
    accountSid: `AC${randomBytes(16).toString('hex')}`,
    authToken: randomBytes(16).toString('hex'),
    apiKeySid: `SK${randomBytes(16).toString('hex')}`,
    apiKeySecret: randomBytes(16).toString('hex'),
  };
  const providerKey = `sk-sandbox-${randomBytes(12).toString('hex')}`;
  const webhookSecret = `whsec_${randomBytes(32).toString('base64')}`;
  const dialogues = await loadDialogues();
  const interruptions = await loadInterruptedDialogues();
  const gateways = createGateways();
  const provider = await startAiProvider({ dialogues: [...dialogues, ...interruptions], apiKey: providerKey });
  closing.push(() => provider.close());
  const receiver = await startWebhookReceiver({ secrets: [webhookSecret] });
  closing.push(() => receiver.close());
  const gatewayUrl = (callSid: string, path: string): string => gateways.urlFor({ callSid, path });
  const telephone = await startTelephone({
    ...twilio,
    publicBaseUrl: PUBLIC_BASE_URL,
    ...twilioNumber(PUBLIC_BASE_URL),
    gatewayUrl,
  });
  closing.push(() => telephone.close());
  return { telephone, provider, receiver, dialogues, interruptions, gateways, twilio, providerKey, webhookSecret };
}

function surroundingsOf(
  nats: RunningNats,
  mongo: RunningMongo,
  credentials: Credentials,
  outside: Outside,
  { shared = {}, webhookOrigins = [LISTEN_ORIGIN] }: StackOptions,
): Surroundings {
  return {
    natsUrl: nats.url,
    mongoUrl: mongo.url,
    databasePrefix: '',
    credentials,
    publicBaseUrl: PUBLIC_BASE_URL,
    telephoneUrl: outside.telephone.url,
    providerUrl: outside.provider.url,
    providerKey: outside.providerKey,
    twilio: outside.twilio,
    shared,
    webhookOrigins: [new URL(outside.receiver.url).origin, ...webhookOrigins],
  };
}

/** As an operator saves them, all at once. */
async function storeBusinesses(surroundings: Surroundings, outside: Outside): Promise<void> {
  const businesses = await loadBusinesses();
  const saved = businesses.map((business) => {
    const settings = businessSettingsSchema.parse({
      ...business,
      inbound_webhook_url: outside.receiver.url,
      webhook_secrets: [outside.webhookSecret],
    });
    return operate(['settings', 'set', '-'], 'callctl', surroundings, JSON.stringify(settings));
  });
  await Promise.all(saved);
}
