import type { Identity } from '@pipeline/contracts';
import type { Credentials } from './identities.ts';

/** The five services, in the order in which a call passes them. */
export const SERVICES = ['media-gateway', 'transcriber', 'summarizer', 'extractor', 'webhook-dispatcher'] as const;
/** Every program of the product that runs beside them, too. */
export const PROGRAMS = [...SERVICES, 'reconciler'] as const;
export type ServiceName = (typeof PROGRAMS)[number];

/** Where the parts of the outside world answer, and the secrets shared with them. */
export type Surroundings = {
  readonly natsUrl: string;
  readonly mongoUrl: string;
  readonly databasePrefix: string;
  readonly credentials: Credentials;
  readonly publicBaseUrl: string;
  readonly telephoneUrl: string;
  readonly providerUrl: string;
  readonly providerKey: string;
  readonly twilio: {
    readonly accountSid: string;
    readonly authToken: string;
    readonly apiKeySid: string;
    readonly apiKeySecret: string;
  };
  /** Variables that every process has beside its own. */
  readonly shared: Readonly<Record<string, string>>;
  /** Exact origins of the webhook receivers on this machine. */
  readonly webhookOrigins: readonly string[];
};

/** One machine instead of a cluster: shorter waits, one replica of every stream, free ports. */
const LOCAL = {
  NODE_ENV: 'development',
  MALLOC_ARENA_MAX: '2', // As in the image.
  HEALTH_HOST: '127.0.0.1',
  HEALTH_PORT: '0',
  STREAM_REPLICAS: '1',
  STREAM_MAX_BYTES: String(256 * 1024 * 1024),
  SHUTDOWN_GRACE_MS: '15000',
} as const;

/**
 * Seals webhook secrets on this machine. It stands here for everybody to read, so production refuses it by its name; it stays the
 * same because settings outlive a start of the stack.
 */
const LOCAL_KEY = { SETTINGS_KEYS: 'local-1:c2FuZGJveC1rZXktb2YtdGhlLWxvY2FsLXN0YWNrLTE=' } as const;

/** Retries that a person can watch: a recording is looked for every 300 ms, a failed webhook again after 1 s. */
const QUICK = {
  RETRY_BASE_MS: '300',
  RETRY_MAX_MS: '2000',
  PAUSE_PROBE_MS: '500',
} as const;

/** A loop that a person can watch, instead of a schedule of minutes. */
const RECONCILING = { RECONCILE_EVERY_MS: '5000', SETTLE_MS: '15000', RUN_TIMEOUT_MS: '60000' } as const;

/** The whole environment of a service on this machine; nothing of this process's own environment is passed on. */
export function serviceEnvironment(service: ServiceName, world: Surroundings): Record<string, string> {
  const shared = { ...LOCAL, ...world.shared, ...brokerEnvironment(service, world) };
  switch (service) {
    case 'media-gateway':
      return {
        ...shared,
        ...storeEnvironment(service, world),
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: '0',
        PUBLIC_BASE_URL: world.publicBaseUrl,
        TWILIO_ACCOUNT_SID: world.twilio.accountSid,
        TWILIO_AUTH_TOKENS: world.twilio.authToken,
        AGENT_BASE_URL: world.providerUrl,
        AGENT_API_KEY: world.providerKey,
        DRAIN_MS: '2000',
        // Calls of tests are faster than real time, and a busy machine holds their audio back for longer than a network does.
        MEDIA_MAX_SPEED: '100',
        AGENT_SILENCE_AFTER_MS: '10000',
      };
    case 'transcriber':
      return {
        ...shared,
        ...QUICK,
        RECORDING_LOOKUP_MS: '300,300,500,1000',
        ...twilioEnvironment(world),
        TRANSCRIPTION_BASE_URL: world.providerUrl,
        // The sandbox's speech is faster than anybody speaks.
        MAX_SPOKEN_CHARS_PER_SEC: '150',
        TRANSCRIPTION_API_KEY: world.providerKey,
      };
    case 'summarizer':
      return { ...shared, ...QUICK, SUMMARY_BASE_URL: world.providerUrl, SUMMARY_API_KEY: world.providerKey };
    case 'extractor':
      return {
        ...shared,
        ...QUICK,
        ...storeEnvironment(service, world),
        EXTRACTION_BASE_URL: world.providerUrl,
        EXTRACTION_API_KEY: world.providerKey,
      };
    case 'webhook-dispatcher':
      return {
        ...shared,
        ...QUICK,
        ...storeEnvironment(service, world),
        ...LOCAL_KEY,
        WEBHOOK_SCHEDULE_SECONDS: '1,1,2,2,3,3,5,5,10',
        WEBHOOK_POLL_MS: '200',
        WEBHOOK_DEV_ORIGINS: world.webhookOrigins.join(','),
      };
    case 'reconciler':
      return {
        ...shared,
        ...storeEnvironment(service, world),
        ...RECONCILING,
        ...twilioEnvironment(world),
      };
  }
}

/** What an operator's command needs. */
export function operatorEnvironment(identity: Identity, world: Surroundings): Record<string, string> {
  return {
    ...LOCAL,
    ...LOCAL_KEY,
    WEBHOOK_DEV_ORIGINS: world.webhookOrigins.join(','),
    ...world.shared,
    ...brokerEnvironment(identity, world),
    ...storeEnvironment(identity, world),
    ...twilioEnvironment(world),
  };
}

/** Twilio's REST side. */
function twilioEnvironment({ telephoneUrl, twilio }: Surroundings): Record<string, string> {
  return {
    TWILIO_BASE_URL: telephoneUrl,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_API_KEY_SID: twilio.apiKeySid,
    TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
  };
}

function brokerEnvironment(identity: Identity, world: Surroundings): Record<string, string> {
  const { user, password } = world.credentials[identity];
  return { NATS_URL: world.natsUrl, NATS_USER: user, NATS_PASSWORD: password };
}

function storeEnvironment(identity: Identity, world: Surroundings): Record<string, string> {
  const { user, password } = world.credentials[identity];
  return {
    MONGO_URL: world.mongoUrl,
    MONGO_USER: user,
    MONGO_PASSWORD: password,
    MONGO_DB_PREFIX: world.databasePrefix,
  };
}
