import { randomUUID } from 'node:crypto';
import { businessSettingsSchema } from '@pipeline/contracts';
import { operate } from '@pipeline/e2e/operator';
import { startStack, type Stack } from '@pipeline/e2e/stack';
import { twilioNumber } from '@pipeline/e2e/twilio-number';
import type { LoadTarget } from '@pipeline/sandbox/load';

/** The gateway under test: the real service, one process, on real servers. */
export type Subject = {
  readonly target: LoadTarget;
  readonly metricsUrl: string;
  /** How many `call.ended` the stream holds. */
  endedCalls(): Promise<number>;
  stop(): Promise<void>;
};

export type SubjectOptions = {
  readonly agentUrl: string;
  readonly calls: number;
  /** A folder for a CPU profile of the gateway, written as it ends. */
  readonly profileTo: string | null;
  readonly tell: (line: string) => void;
};

const NUMBER = '+15550100100';
/** Calls that are being placed and calls that are being forgotten count too. */
const SPARE_CALLS = 50;
const LISTENS = 'Twilio is answered';

/** Starts servers and one media-gateway that talks to this agent and takes so many calls at once. */
export async function startSubject(options: SubjectOptions, signal: AbortSignal): Promise<Subject> {
  const maxCalls = options.calls + SPARE_CALLS;
  const profile = options.profileTo === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${options.profileTo}` };
  const stack = await startStack({
    services: ['media-gateway'],
    overrides: { 'media-gateway': { AGENT_BASE_URL: options.agentUrl, MAX_CALLS: String(maxCalls), ...profile } },
    report: options.tell,
    signal,
  });
  try {
    const [gateway] = stack.fleet.of('media-gateway');
    if (gateway === undefined) throw new Error('no media-gateway is running');
    await saveBusiness(stack, maxCalls);
    const { publicBaseUrl, twilio } = stack.surroundings;
    return {
      target: {
        kind: 'gateway',
        publicBaseUrl,
        statusCallbackUrl: twilioNumber(publicBaseUrl).statusCallbackUrl,
        gatewayUrl: `http://127.0.0.1:${await gateway.portOf(LISTENS)}`,
        accountSid: twilio.accountSid,
        authToken: twilio.authToken,
        to: NUMBER,
      },
      metricsUrl: `${gateway.healthUrl}/metrics`,
      endedCalls: () => stack.streams.total('call.ended'),
      stop: stack.stop,
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

async function saveBusiness(stack: Stack, maxCalls: number): Promise<void> {
  const settings = businessSettingsSchema.parse({
    id: `bench_${randomUUID().slice(0, 8)}`,
    name: 'Bench',
    phone_numbers: [NUMBER],
    language: 'en',
    agent: { instructions: 'Speak without end.', greeting: 'Hello.' },
    max_concurrent_calls: maxCalls,
  });
  await operate(['settings', 'set', '-'], 'callctl', stack.surroundings, JSON.stringify(settings));
}
