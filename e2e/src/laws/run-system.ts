import { connectStore, createCallLogReader } from '@pipeline/call-store/call-log';
import { createLogger } from '@pipeline/runtime';
import type { CallLog } from '@pipeline/contracts';
import { bodyOf, callOf } from '../stack/arrived.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import type { StackOptions } from '../stack/options.ts';
import type { RunEvidence } from './evidence.ts';
import { readRefusals } from './refusals.ts';

const DIALOGUE = 'he-renovation';
const LATER_STAGES = ['transcriber', 'summarizer', 'extractor'] as const;
const IDLE_MS = 8_000;
const STORED_MS = 60_000;
const SENT_MS = 30_000;

/**
 * Runs one call through a system whose later stages are started one step after another, and writes down what happens with
 * media-gateway alone, then without webhook-dispatcher, then with all services. `options` let tests sabotage a service.
 */
export async function runSystem(options: StackOptions = {}): Promise<RunEvidence> {
  const stack = await startStack({ ...options, services: ['media-gateway'] });
  try {
    const call = await stack.placeCall(DIALOGUE);
    const { callbackStatuses } = await call.ended;
    const idleAfterMs = await idleAfter(stack);
    const endedStored = await isEndedStored(stack, call.callSid);
    const alone = { endedStored, statusAnswer: callbackStatuses[0] ?? null, idleAfterMs };

    await Promise.all(LATER_STAGES.map((service) => stack.fleet.start(service)));
    const callLog = await storedCallLog(stack, call.callSid);
    const withoutDispatcher = { callLogStored: callLog !== null, requests: stack.receiver.received.length };

    await stack.fleet.start('webhook-dispatcher');
    await stack.receiver.waitFor((one) => callOf(one) === call.callSid, SENT_MS).catch(() => undefined);
    const bodies = stack.receiver.received.filter((one) => one.verified).map(bodyOf);
    const gatewayLines = stack.lines.filter((line) => line.service === 'media-gateway');
    const refusals = await readRefusals(stack.surroundings, call.callSid);
    return {
      callSid: call.callSid,
      alone,
      withoutDispatcher,
      withDispatcher: { bodies },
      callLog,
      gatewayLines,
      refusals,
    };
  } finally {
    await stack.stop();
  }
}

/** Milliseconds until the gateway's own metric says that it holds no call. */
async function idleAfter(stack: Stack): Promise<number | null> {
  const [gateway] = stack.fleet.of('media-gateway');
  const begun = performance.now();
  const idle = eventually(
    'the gateway holds no call',
    async () => {
      const text = await (await fetch(`${gateway?.healthUrl}/metrics`)).text();
      return /^gateway_active_calls(\{[^}]*\})? 0$/m.test(text);
    },
    IDLE_MS,
  );
  return idle.then(
    () => performance.now() - begun,
    () => null,
  );
}

async function isEndedStored(stack: Stack, callSid: string): Promise<boolean> {
  return eventually('call.ended is stored', () => stack.streams.holds('call.ended', callSid), IDLE_MS).catch(
    () => false,
  );
}

/** The CallLog through the product's own reader, as an operator may read it. */
async function storedCallLog(stack: Stack, callSid: string): Promise<CallLog | null> {
  const { mongoUrl, databasePrefix, credentials } = stack.surroundings;
  const { user, password } = credentials.callctl;
  const config = { MONGO_URL: mongoUrl, MONGO_USER: user, MONGO_PASSWORD: password, MONGO_DB_PREFIX: databasePrefix };
  const logger = createLogger({ level: 'error', bindings: { service: 'laws' } });
  const store = await connectStore({ config, instance: 'laws', logger });
  try {
    const reader = createCallLogReader(store);
    return await eventually(
      'the CallLog is stored',
      async () => {
        const found = await reader.find(callSid, AbortSignal.timeout(5_000));
        return found.kind === 'call' ? found.callLog : null;
      },
      STORED_MS,
    ).catch(() => null);
  } finally {
    await store.close();
  }
}
