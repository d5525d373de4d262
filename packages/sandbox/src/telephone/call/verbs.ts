import { modulate } from '../../speech/modulate.ts';
import { mulawEncode } from '../../speech/mulaw.ts';
import { newSid } from '../account.ts';
import type { Call, EndedBy } from './call.ts';
import type { CallParts, CallPlan } from './run-call.ts';
import type { Line } from '../line/line.ts';
import { runMediaStream, type StreamEnd } from './media-stream.ts';
import type { Playback } from '../line/playback.ts';
import { createRecording } from '../line/recording.ts';
import type { TwimlVerb } from './twiml.ts';

/** One call on its way. */
export type RunningCall = {
  readonly call: Call;
  readonly plan: CallPlan;
  readonly parts: CallParts;
  readonly line: Line;
  readonly playback: Playback;
  readonly frames: { sent: number; received: number };
  readonly problems: string[];
  /** Asks the gateway what to do now; `null`: there is nothing that can be followed, and `problems` says why. */
  readonly ask: (url: string) => Promise<TwimlVerb[] | null>;
  /** Makes the call's status final and tells the gateway, once. */
  readonly end: () => Promise<void>;
};

/** Follows the verbs in order until the call is over; `null`: there are none that can be followed. Sets the call's status. */
export async function followVerbs(verbs: readonly TwimlVerb[] | null, running: RunningCall): Promise<EndedBy> {
  const { call } = running;
  const { signal } = call.ending;
  const [first] = verbs ?? [];
  if (signal.aborted) {
    call.status = 'canceled';
    return abortedBy(signal);
  }
  if (verbs === null) {
    call.status = 'failed';
    return 'refused';
  }
  if (first?.kind === 'reject') {
    call.status = first.reason === 'busy' ? 'busy' : 'no-answer';
    return 'refused';
  }
  call.status = 'in-progress';
  call.startedAt = Date.now();
  return followAnswered(verbs, running);
}

async function followAnswered(verbs: readonly TwimlVerb[], running: RunningCall): Promise<EndedBy> {
  const { signal } = running.call.ending;
  const left = [...verbs];
  let endedBy: EndedBy = 'agent';
  let redirects = 0;
  for (let verb = left.shift(); verb !== undefined; verb = left.shift()) {
    if (signal.aborted) return abortedBy(signal);
    if (verb.kind === 'hang_up' || verb.kind === 'reject') break;
    if (verb.kind === 'record') startRecording(running, verb.channels);
    if (verb.kind === 'say') await say(verb.text, running);
    if (verb.kind === 'redirect') {
      redirects += 1;
      left.splice(0, left.length, ...((redirects <= MAX_REDIRECTS && (await running.ask(verb.url))) || []));
    }
    if (verb.kind === 'stream') {
      endedBy = await stream(verb, running);
      if (endedBy === 'caller' || endedBy === 'operator') return endedBy;
    }
  }
  return signal.aborted ? abortedBy(signal) : endedBy;
}

const MAX_REDIRECTS = 10;

/** A gateway that is wrong in every frame must not fill the memory. */
const MAX_PROBLEMS = 100;

function abortedBy(signal: AbortSignal): EndedBy {
  return signal.reason === 'caller' ? 'caller' : 'operator';
}

function startRecording({ call, plan }: RunningCall, channels: 1 | 2): void {
  call.recording ??= {
    sid: newSid('RE'),
    channels,
    startedAt: Date.now(),
    audio: createRecording(),
    behaviour: plan.recording,
    lookups: 0,
    downloads: 0,
    refusals: 0,
    deleted: false,
  };
}

/** The telephone's own voice; the caller only listens. */
async function say(text: string, { call, plan, parts, line, playback }: RunningCall): Promise<void> {
  playback.media(mulawEncode(modulate(text)));
  const { signal } = call.ending;
  await new Promise<void>((resolve) => {
    const stop = parts.clock.run(plan.speed, () => {
      if (!line.isDrained) line.next(true);
      if (!line.isDrained) return 'made';
      resolve();
      return 'over';
    });
    signal.addEventListener('abort', () => {
      stop();
      resolve();
    });
  });
}

function stream(verb: Extract<TwimlVerb, { kind: 'stream' }>, running: RunningCall): Promise<StreamEnd> {
  const { call, plan, parts, line, playback, problems } = running;
  const names = {
    accountSid: parts.options.accountSid,
    callSid: call.callSid,
    streamSid: newSid('MZ'),
    customParameters: verb.parameters,
  };
  const streamParts = {
    client: parts.client,
    clock: parts.clock,
    line,
    playback,
    speed: plan.speed,
    faults: plan.faults,
    beforeStop: async () => {
      if (plan.faults.statusCallback === 'early') await running.end();
    },
    note: (problem: string) => {
      if (problems.length < MAX_PROBLEMS) problems.push(problem);
    },
    count: running.frames,
    now: parts.now,
  };
  return runMediaStream(verb.url, names, streamParts, call.ending.signal);
}
