import { setTimeout as pause } from 'node:timers/promises';
import type { TelephoneOptions } from '../account.ts';
import { framesToMs } from '../line/audio.ts';
import type { Call, EndedBy, Unanswered } from './call.ts';
import { statusForm, voiceForm } from './call-forms.ts';
import { createCaller } from '../line/caller.ts';
import type { AudioClock } from '../line/clock.ts';
import { readOverrides } from './connection-overrides.ts';
import type { CallFaults } from './faults.ts';
import type { GatewayClient } from './gateway-client.ts';
import { createLine } from '../line/line.ts';
import { createPlayback } from '../line/playback.ts';
import type { RecordingBehaviour } from '../rest/recording-behaviour.ts';
import type { CallScript } from '../line/script.ts';
import { deliverStatus } from './status-callback.ts';
import { parseTwiml, type TwimlVerb } from './twiml.ts';
import { followVerbs, type RunningCall } from './verbs.ts';
import { tryWebhook } from './webhook-tries.ts';

/** How a call went. A refused call is an outcome like any other. */
export type CallOutcome = {
  readonly callSid: string;
  readonly status: Call['status'];
  readonly endedBy: EndedBy;
  /** Whole seconds of audio, 0 when nothing was answered. */
  readonly durationSec: number;
  /** Texts of the agent's utterances as the caller heard them; U+FFFD ends one that was cut or damaged. */
  readonly heardFromAgent: readonly string[];
  /** Texts that the caller said to their end. */
  readonly saidByCaller: readonly string[];
  /** Media frames: 20 ms each to the gateway, of any length from it. */
  readonly frames: { readonly sent: number; readonly received: number };
  /** HTTP status of the voice webhook, 0 without an answer or a question; of every try of the status callback. */
  readonly voiceStatus: number;
  readonly callbackStatuses: readonly number[];
  /** What a careful operator would have to look at, in sentences. */
  readonly problems: readonly string[];
};

/** What is to happen in one call. `recording` null: as recordings of this telephone do in general. */
export type CallPlan = {
  readonly script: CallScript;
  readonly speed: number;
  readonly faults: CallFaults;
  readonly recording: RecordingBehaviour | null;
  readonly unanswered: Unanswered | null;
};

/** What all calls of a telephone share. */
export type CallParts = {
  readonly options: TelephoneOptions;
  readonly client: GatewayClient;
  readonly clock: AudioClock;
  /** Monotonic milliseconds on the wall. */
  readonly now: () => number;
  /** Aborted when the telephone closes: nothing more is sent. */
  readonly closing: AbortSignal;
};

/** Runs one call from the voice webhook to the status callback. Never rejects. */
export async function runCall(call: Call, plan: CallPlan, parts: CallParts): Promise<CallOutcome> {
  const caller = createCaller(plan.script, parts.now);
  const playback = createPlayback(parts.now);
  const recording = (): NonNullable<Call['recording']>['audio'] | null => call.recording?.audio ?? null;
  const line = createLine({ playback, caller, recording, speed: plan.speed, now: parts.now });
  let callbackStatuses: Promise<number[]> | undefined;
  const end = async (): Promise<void> => {
    call.endedAt ??= Date.now();
    if (call.startedAt !== null) call.durationSec = Math.round(framesToMs(line.frames) / 1_000);
    if (call.status === 'in-progress') call.status = 'completed';
    callbackStatuses ??= tellEnd(call, plan, parts);
    await callbackStatuses;
  };
  const running: RunningCall = {
    call,
    plan,
    parts,
    line,
    playback,
    frames: { sent: 0, received: 0 },
    problems: [],
    ask: async (url) => (await askGateway(url, {}, running)).verbs,
    end,
  };

  const asked = plan.unanswered === null ? await askFirst(running) : NOT_ASKED;
  if (plan.unanswered !== null) call.status = plan.unanswered;
  const endedBy = plan.unanswered === null ? await followVerbs(asked.verbs, running) : 'unanswered';
  await end();
  return {
    callSid: call.callSid,
    status: call.status,
    endedBy,
    durationSec: call.durationSec ?? 0,
    heardFromAgent: caller.heard,
    saidByCaller: caller.said,
    frames: running.frames,
    voiceStatus: asked.status,
    callbackStatuses: (await callbackStatuses) ?? [],
    problems: [...running.problems, ...caller.problems],
  };
}

type Asked = { readonly status: number; readonly verbs: TwimlVerb[] | null };

const NOT_ASKED: Asked = { status: 0, verbs: null };

/** The voice webhook, and the fallback URL when it failed. `status` is the voice webhook's. */
async function askFirst(running: RunningCall): Promise<Asked> {
  const { voiceUrl, fallbackUrl, publicBaseUrl } = running.parts.options;
  const url = voiceUrl ?? `${publicBaseUrl}/twilio/voice`;
  const first = await askGateway(url, {}, running);
  if (first.verbs !== null || fallbackUrl === undefined || running.call.ending.signal.aborted) return first;
  const failed = { ErrorCode: first.status === 200 ? '12100' : '11200', ErrorUrl: readOverrides(url).url };
  return { status: first.status, verbs: (await askGateway(fallbackUrl, failed, running)).verbs };
}

/** A webhook that says how the call goes on. `verbs` is null when the gateway gave none that can be followed. */
async function askGateway(url: string, more: Readonly<Record<string, string>>, running: RunningCall): Promise<Asked> {
  const { call, plan, parts, problems } = running;
  const isWrong = plan.faults.wrongSignature?.includes('voice') === true;
  let status = 0;
  try {
    const form = { ...voiceForm(call, parts.options), ...more };
    const { last } = await tryWebhook(parts.client, { url, form, isWrong }, call.ending.signal);
    if (last.kind === 'silence') throw last.error;
    ({ status } = last.reply);
    if (status === 200) return { status, verbs: parseTwiml(last.reply.text) };
    problems.push(`the voice webhook answered ${status} (11200)`);
  } catch (error) {
    if (!call.ending.signal.aborted) problems.push(`the voice webhook failed: ${String(error)}`);
  }
  return { status, verbs: null };
}

async function tellEnd(call: Call, plan: CallPlan, parts: CallParts): Promise<number[]> {
  const { statusCallback = 'once', statusCallbackDelayMs = 0, wrongSignature } = plan.faults;
  if (statusCallback === 'missing') return [];
  if (statusCallbackDelayMs > 0) {
    await pause(statusCallbackDelayMs, undefined, { signal: parts.closing }).catch(() => {});
  }
  return deliverStatus(
    parts.client,
    {
      url: parts.options.statusCallbackUrl ?? `${parts.options.publicBaseUrl}/twilio/status`,
      form: statusForm(call, parts.options),
      isWrong: wrongSignature?.includes('status') === true,
      times: statusCallback === 'twice' ? 2 : 1,
    },
    parts.closing,
  );
}
