import { newCall, isFinal, type Call, type Unanswered } from './call/call.ts';
import type { TelephoneOptions } from './account.ts';
import { runCall, type CallOutcome, type CallParts } from './call/run-call.ts';
import { readOverrides } from './call/connection-overrides.ts';
import { createAudioClock } from './line/clock.ts';
import type { CallFaults } from './call/faults.ts';
import { createGatewayClient } from './call/gateway-client.ts';
import { createCallList, type CallListBehaviour } from './rest/call-list-behaviour.ts';
import type { RecordingBehaviour } from './rest/recording-behaviour.ts';
import { createKeptCalls, type KeptCalls } from './rest/kept-recordings.ts';
import { startRest, type RestLedgerEntry } from './rest/rest.ts';
import type { CallScript } from './line/script.ts';

/** One call to place. */
export type PlaceCall = {
  readonly dialogue: CallScript;
  /** Instead of the dialogue's. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Audio time against wall time: 1 (default) is real time, 20 is twenty times faster. At most 100. */
  readonly speed?: number | undefined;
  readonly faults?: CallFaults | undefined;
  /** How this call's recording shows up, instead of how recordings do in general. */
  readonly recording?: RecordingBehaviour | undefined;
  /** An outbound call that nobody takes: the voice URL is never asked, the status callback is all that is heard of it. */
  readonly unanswered?: Unanswered | undefined;
};

export type PlacedCall = {
  readonly callSid: string;
  /** Settles when the call is over and its status callback was delivered or given up. Never rejects. */
  readonly ended: Promise<CallOutcome>;
  /** The caller hangs up now. */
  hangUp(): void;
};

/**
 * Twilio's side on real sockets: calls the gateway as Twilio does (signed webhooks, Media Streams) and answers its REST API
 * with recordings made of the very frames that crossed the gateway.
 */
export type Telephone = {
  /** Base of the REST API. */
  readonly url: string;
  /** Places a call. Rejects only when the telephone is closed, or when no such call can be. */
  placeCall(call: PlaceCall): Promise<PlacedCall>;
  /** Keeps an ended call whose recordings are given instead of made: any bytes, any length, any row. */
  readonly keepCall: KeptCalls['keep'];
  /** How recordings show up from now on; with a CallSid only that call's. */
  setRecordingBehaviour(behaviour: RecordingBehaviour, callSid?: string): void;
  /** How the list of calls behaves from now on. */
  setCallListBehaviour(behaviour: CallListBehaviour): void;
  /** Every call that is kept, oldest first. */
  readonly calls: readonly Readonly<Call>[];
  /** REST requests in order of arrival. */
  readonly requests: readonly RestLedgerEntry[];
  /** Ends running calls and everything open. */
  close(): Promise<void>;
};

/** Audio of ended calls that is kept; above it the oldest calls are forgotten. About 4.5 hours. */
const KEPT_AUDIO_BYTES = 256 * 1024 * 1024;
const KEPT_CALLS = 20_000;
const MAX_SPEED = 100;

/** Starts a {@link Telephone}. Rejects when a URL carries connection overrides that Twilio does not have. */
export async function startTelephone(options: TelephoneOptions): Promise<Telephone> {
  for (const url of [options.voiceUrl, options.fallbackUrl, options.statusCallbackUrl]) readOverrides(url ?? '');
  const calls = new Map<string, Call>();
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();
  const client = createGatewayClient(options);
  const clock = createAudioClock();
  const parts: CallParts = { options, client, clock, now: () => performance.now(), closing: closing.signal };
  let behaviour: RecordingBehaviour = {};
  const callList = createCallList();
  const kept = createKeptCalls(options.accountSid);
  const rest = await startRest({ options, calls, behaviour: () => behaviour, callList, kept });

  return {
    url: rest.url,
    requests: rest.requests,
    placeCall: async ({
      dialogue,
      from = dialogue.from,
      to = dialogue.to,
      speed = 1,
      faults = {},
      recording = null,
      unanswered = null,
    }) => {
      if (closing.signal.aborted) throw new Error('the telephone is closed');
      if (unanswered !== null && dialogue.direction === 'inbound')
        throw new RangeError('an inbound call is answered here');
      if (!(speed > 0 && speed <= MAX_SPEED)) throw new RangeError(`a speed of ${speed}`);
      forgetOld(calls);
      const call = newCall({ from, to, direction: dialogue.direction });
      calls.set(call.callSid, call);
      const ended = runCall(call, { script: dialogue, speed, faults, recording, unanswered }, parts);
      running.add(ended);
      void ended.finally(() => running.delete(ended));
      return { callSid: call.callSid, ended, hangUp: () => call.ending.abort('caller') };
    },
    keepCall: kept.keep,
    setRecordingBehaviour: (next, callSid) => {
      if (callSid === undefined) {
        behaviour = next;
        return;
      }
      const recording = calls.get(callSid)?.recording;
      if (recording === undefined || recording === null) throw new Error(`call ${callSid} has no recording`);
      recording.behaviour = next;
    },
    setCallListBehaviour: callList.set,
    get calls() {
      return [...calls.values()];
    },
    close: async () => {
      closing.abort();
      for (const call of calls.values()) if (!isFinal(call.status)) call.ending.abort('operator');
      await Promise.all(running);
      clock.close();
      await client.close();
      await rest.close();
    },
  };
}

function forgetOld(calls: Map<string, Call>): void {
  let bytes = 0;
  for (const call of calls.values()) bytes += call.recording?.audio.bytes ?? 0;
  for (const [callSid, call] of calls) {
    if (bytes <= KEPT_AUDIO_BYTES && calls.size < KEPT_CALLS) return;
    if (!isFinal(call.status)) continue;
    bytes -= call.recording?.audio.bytes ?? 0;
    calls.delete(callSid);
  }
}
