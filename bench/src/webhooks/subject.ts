import { randomBytes } from 'node:crypto';
import {
  connectStore,
  createDeliveryStore,
  type DeliveryStore,
  type NewDelivery,
} from '@pipeline/call-store/deliveries';
import { createSettingsWriter } from '@pipeline/call-store/settings-secrets';
import { businessSettingsSchema } from '@pipeline/contracts';
import { webhookId } from '@pipeline/contracts/webhook';
import { startStack, type Stack } from '@pipeline/e2e/stack';
import { createLogger } from '@pipeline/runtime';

/** webhook-dispatcher as it is deployed, on real servers, with deliveries that wait for it. */
export type Subject = {
  readonly deliveries: DeliveryStore;
  readonly stack: Stack;
  /** Saves a business whose webhooks go to this URL. */
  saveBusiness(id: string, url: string): Promise<void>;
  /** Starts one process and waits until it is ready. */
  start(variables: Readonly<Record<string, string>>): Promise<void>;
  /** Stops every process. */
  stopAll(): Promise<void>;
  stop(): Promise<void>;
};

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** About what a call of five minutes gives. */
export const BODY = Buffer.from(JSON.stringify({ event_type: 'call.completed', transcript: 'x'.repeat(4_000) }));

const KEY = { id: 'bench', key: randomBytes(32) };
const KEY_TEXT = `${KEY.id}:${KEY.key.toString('base64')}`;

/** Starts the servers; no service runs yet. An endpoint has at most `slots` deliveries in flight. */
export async function startSubject(slots: number, tell: (line: string) => void, signal: AbortSignal): Promise<Subject> {
  const stack = await startStack({ services: [], report: tell, signal });
  try {
    const store = await storeOf(stack, 'webhook-dispatcher');
    const settingsStore = await storeOf(stack, 'callctl');
    const writer = createSettingsWriter(settingsStore, [KEY]);
    return {
      stack,
      deliveries: createDeliveryStore(store),
      saveBusiness: async (id, url) => {
        const settings = businessSettingsSchema.parse({
          id,
          name: 'Bench',
          agent: { instructions: 'Speak.', greeting: 'Hello.' },
          inbound_webhook_url: url,
          webhook_secrets: [SECRET],
          webhook_rate_per_second: 10_000,
          webhook_max_in_flight: slots,
        });
        await writer.save(settings, signal);
      },
      start: async (variables) =>
        void (await stack.fleet.start('webhook-dispatcher', 1, { SETTINGS_KEYS: KEY_TEXT, ...variables })),
      stopAll: async () => void (await stack.fleet.stop()),
      stop: async () => {
        await store.close();
        await settingsStore.close();
        await stack.stop();
      },
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** A delivery of a call that there never was. */
export function newDelivery(businessId: string): NewDelivery {
  const callSid = `CA${randomBytes(16).toString('hex')}`;
  return {
    webhookId: webhookId({ type: 'call.completed', callSid }),
    endpointId: businessId,
    businessId,
    callSid,
    eventType: 'call.completed',
    revision: 1,
    body: BODY,
  };
}

async function storeOf({ surroundings }: Stack, identity: 'webhook-dispatcher' | 'callctl') {
  const { user, password } = surroundings.credentials[identity];
  return connectStore({
    config: {
      MONGO_URL: surroundings.mongoUrl,
      MONGO_USER: user,
      MONGO_PASSWORD: password,
      MONGO_DB_PREFIX: surroundings.databasePrefix,
    },
    instance: 'bench',
    logger: createLogger({ level: 'error', bindings: {} }),
  });
}
