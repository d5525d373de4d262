import { businessSettingsSchema, type BusinessSettings, type CallEnded } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';
import type { Agent, AgentConnection, AgentEvent, AgentSession } from '../agent.ts';
import { planOf } from '../answer-call.ts';
import type { CallLimits, CallPlan } from '../call/call.ts';

/** What the tests of this service start from. */

export const CALL_SID = `CA${'1'.repeat(32)}`;
export const ACCOUNT_SID = `AC${'2'.repeat(32)}`;
export const STREAM_SID = `MZ${'3'.repeat(32)}`;

export const business: BusinessSettings = businessSettingsSchema.parse({
  id: 'biz_1',
  name: 'A business',
  phone_numbers: ['+972501234567'],
  language: 'he',
  agent: { instructions: 'Be kind.', greeting: 'Hello there.' },
  max_concurrent_calls: 2,
});

export const limits: CallLimits = {
  streamWaitMs: 60_000,
  mediaIdleMs: 20_000,
  maxCallMs: 3_300_000,
  transcriptionGraceMs: 3_000,
  farewellMs: 15_000,
  answerMs: 10_000,
};

export const ringing = { callSid: CALL_SID, from: '+15551230000', to: '+972501234567', direction: 'inbound' } as const;

export const plan: CallPlan = { ...planOf(ringing, business, limits), startedAt: 1_700_000_000_000 };

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

export type LogLine = { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string };

/** A logger that keeps its lines. */
export function listeningLogger(lines: LogLine[], bound: Record<string, unknown> = {}): Logger {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...bound, ...fields }, message });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => listeningLogger(lines, { ...bound, ...fields }),
  };
}

/** An agent that does nothing by itself: a test makes it report and sees what it was told. */
export type PuppetAgent = Agent & { readonly sessions: PuppetSession[] };
export type PuppetSession = {
  readonly session: AgentSession;
  readonly report: (event: AgentEvent) => void;
  readonly told: string[];
};

export function createPuppetAgent(): PuppetAgent {
  const sessions: PuppetSession[] = [];
  return {
    sessions,
    connect: (session, report): AgentConnection => {
      const told: string[] = [];
      sessions.push({ session, report, told });
      return {
        append: (payload) => void told.push(`append ${payload}`),
        speak: (text) => void told.push(`speak ${text}`),
        commit: () => void told.push('commit'),
        truncate: (itemId, heardMs) => void told.push(`truncate ${itemId} ${heardMs}`),
        close: () => void told.push('close'),
      };
    },
  };
}

/** A broker as far as the gateway knows it: it keeps what it was given, or refuses while `isDown`. */
export type FakeBroker = { isDown: boolean; readonly events: CallEnded[]; send(event: CallEnded): Promise<void> };

export function createFakeBroker(): FakeBroker {
  const broker: FakeBroker = {
    isDown: false,
    events: [],
    send: async (event) => {
      if (broker.isDown) throw new Error('the broker is down');
      broker.events.push(event);
    },
  };
  return broker;
}
