import type { CallFaults, CallOutcome, Dialogue } from '@pipeline/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceProcess } from '../stack/service-process.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { arrivedOutcome } from './outcome.ts';

/** Two gateways; every test says which request reaches which, and none keeps a call together. */
let stack: Stack;
/** All gateways that were started, as `direct` counts them. */
const gateways: ServiceProcess[] = [];
beforeAll(async () => {
  stack = await startStack();
  gateways.push(...stack.fleet.of('media-gateway'));
  await addGateway();
});
afterAll(() => stack.stop());
afterEach(() => stack.gateways.direct(() => undefined));

async function addGateway(extra: Readonly<Record<string, string>> = {}): Promise<number> {
  const [started] = await stack.fleet.start('media-gateway', 1, extra);
  return gateways.push(started!) - 1;
}

type Route = { readonly voice: number; readonly media: number; readonly status: number };
const send = (route: Route): void =>
  stack.gateways.direct(({ path }) => {
    if (path.endsWith('/voice')) return route.voice;
    return path.endsWith('/media') ? route.media : route.status;
  });

/** Sends the requests of each call where its own route says, in the order of its callbacks. */
const tellInTurn = (turns: ReadonlyMap<string, number[]>): void =>
  stack.gateways.direct(({ callSid }) => turns.get(callSid)?.shift());

const dialogueOf = (id: string): Dialogue => stack.dialogues.find((one) => one.id === id)!;
const placeCall = (id: string, speed: number, faults: CallFaults = {}) =>
  stack.telephone.placeCall({ dialogue: dialogueOf(id), speed, faults });

/** The line with which a gateway hands a call over, and which gateway it was. */
const handOvers = (callSid: string) =>
  stack.lines.filter((line) => /will handle everything/.test(line.message) && line.fields['callSid'] === callSid);
/** How long its gateway took from the end of the call to its hand-over. */
const closingMs = (callSid: string, endedAt: unknown): number =>
  Date.parse(String(handOvers(callSid)[0]?.fields['time'])) - new Date(String(endedAt)).getTime();
const wordsOf = (id: string) => dialogueOf(id).turns.map(({ text }) => text);
const turnsOf = async (callSid: string) => {
  const { callLog } = await arrivedOutcome(stack, callSid);
  return (callLog['transcription_turns'] as { text: string }[]).map(({ text }) => text);
};

describe('several gateways behind one address', () => {
  test('webhook, media stream and callback of one call at three of them: everything arrives, once', async () => {
    const third = await addGateway();
    send({ voice: 0, media: 1, status: third });
    const placed = await placeCall('he-renovation', 10);
    expect(await placed.ended).toMatchObject({ problems: [], callbackStatuses: [204] });
    expect(await turnsOf(placed.callSid)).toEqual(wordsOf('he-renovation'));
    expect(handOvers(placed.callSid).map(({ instance }) => instance)).toEqual([gateways[1]!.instance]);
    expect(await stack.streams.count('call.ended', placed.callSid)).toBe(1);
  });

  test('a callback at B in each of the three seconds in which A closes: the last words are always in the CallLog', async () => {
    const lastWords = wordsOf('en-painting').at(-1)!;
    const heal = stack.provider.setFault({
      route: 'realtime',
      kind: 'transcription_late',
      ms: 2_600,
      match: { textIncludes: lastWords },
    });
    send({ voice: 1, media: 0, status: 1 });
    const delays = [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000];
    const placed = await Promise.all(
      delays.map((statusCallbackDelayMs) => placeCall('en-painting', 10, { statusCallbackDelayMs })),
    );
    const outcomes = await Promise.all(placed.map((call) => call.ended));
    heal();
    // The one that was told at once waited at B for the whole of A's grace, and no other was told a second time.
    expect(outcomes.map(({ callbackStatuses }) => callbackStatuses.length)).toEqual(delays.map(() => 1));
    expect(outcomes.map(({ callbackStatuses }) => callbackStatuses.at(-1))).toEqual(delays.map(() => 204));
    for (const { callSid } of placed) {
      const { callLog } = await arrivedOutcome(stack, callSid);
      expect(closingMs(callSid, callLog['endedAt']), 'the grace was used').toBeGreaterThan(2_000);
      expect(await turnsOf(callSid)).toEqual(wordsOf('en-painting'));
      expect(handOvers(callSid).map(({ instance }) => instance)).toEqual([gateways[0]!.instance]);
      expect(await stack.streams.count('call.ended', callSid)).toBe(1);
    }
  });

  test('a call that never opened its media stream is published by the gateway of its callback', async () => {
    const busy = await addGateway();
    await gateways[busy]!.kill();
    send({ voice: 0, media: busy, status: 1 });
    const placed = await placeCall('en-plumbing', 10);
    expect((await placed.ended).callbackStatuses).toEqual([204]);
    expect(await turnsOf(placed.callSid)).toEqual([]);
    expect(handOvers(placed.callSid).map(({ instance }) => instance)).toEqual([gateways[1]!.instance]);
  });
});

describe('an outbound call that nobody took', () => {
  test('is published once by whichever gateway hears of it, also when it is told at two, and reaches its webhook at once', async () => {
    const { from: customer, to: business, ...dialogue } = dialogueOf('en-plumbing');
    const outbound = { ...dialogue, from: business, to: customer, direction: 'outbound' } as const;
    const turns = new Map<string, number[]>();
    tellInTurn(turns);
    const tell = async (statusCallback: 'once' | 'twice', ...route: number[]) => {
      const faults = { statusCallback, statusCallbackDelayMs: 500 };
      const call = await stack.telephone.placeCall({ dialogue: outbound, unanswered: 'no-answer', faults });
      turns.set(call.callSid, [...route]);
      return { ...call, route };
    };
    const placed = [await tell('once', 0), await tell('once', 1), await tell('twice', 0, 1), await tell('twice', 1, 0)];
    for (const { callSid, ended, route } of placed) {
      expect(await ended).toMatchObject({ voiceStatus: 0, callbackStatuses: route.map(() => 204) });
      expect(turns.get(callSid), 'each callback went its way').toEqual([]);
      expect(handOvers(callSid).map(({ instance, fields }) => [instance, fields['endedReason']])).toEqual([
        [gateways[route[0]!]!.instance, 'no_answer'],
      ]);
      expect(await stack.streams.count('call.ended', callSid)).toBe(1);
    }
    for (const { callSid } of placed) {
      const { callLog, body } = await arrivedOutcome(stack, callSid);
      expect(callLog).toMatchObject({ direction: 'outbound', endedReason: 'no_answer', status: 'partial' });
      expect(body).toMatchObject({ direction: 'outbound', phone: customer, transcript: null, summary: null });
      // Half an hour of looking for a recording would be longer than this test.
      expect(body['stages']).toMatchObject({
        transcriber: { state: 'skipped', code: 'RECORDING_ABSENT', attempts: 1 },
      });
    }
  });
});

describe('an outbound call that was answered when its gateway was full', () => {
  test('is published as refused by another gateway, which hears of its end, and reaches its webhook at once', async () => {
    const full = await addGateway({ MAX_CALLS: '1' });
    send({ voice: full, media: full, status: 1 });
    const first = await placeCall('en-plumbing', 1);
    await eventually('the gateway is full', async () => (await active(gateways[full]!)) === 1);
    const { from: customer, to: business, ...dialogue } = dialogueOf('en-plumbing');
    const outbound = { ...dialogue, from: business, to: customer, direction: 'outbound' } as const;
    const { callSid, ended } = await stack.telephone.placeCall({ dialogue: outbound });
    expect(await ended).toMatchObject({ saidByCaller: [], callbackStatuses: [204] });
    expect(handOvers(callSid).map(({ instance }) => instance)).toEqual([gateways[1]!.instance]);
    first.hangUp();
    await first.ended;
    const { callLog, body } = await arrivedOutcome(stack, callSid);
    expect(callLog).toMatchObject({ direction: 'outbound', endedReason: 'refused', transcription: null });
    expect(body).toMatchObject({ direction: 'outbound', phone: customer, transcript: null });
    expect(body['stages']).toMatchObject({ transcriber: { state: 'skipped', code: 'RECORDING_ABSENT', attempts: 1 } });
    expect(await stack.streams.count('call.ended', callSid)).toBe(1);
  });
});

describe('a gateway that dies', () => {
  test('F1 F3 F4 F5 around its publish or in the middle of a call: the callback at another one brings the call in', async () => {
    const points = ['gw.before_publish', 'gw.after_publish', 'gw.before_reply', ''];
    const doomed: number[] = [];
    for (const point of points) doomed.push(await addGateway(point === '' ? {} : { CRASH_AT: `${point}:1` }));
    // Each call lives at the gateway that is doomed for it; its callback reaches another one, after that gateway where it dies in its answer.
    const homes = new Map<string, number>();
    const asked = new Map<string, number>();
    stack.gateways.direct(({ callSid, path }) => {
      const home = homes.get(callSid) ?? doomed[homes.size]!;
      homes.set(callSid, home);
      if (!path.endsWith('/status')) return home;
      const times = asked.get(callSid) ?? 0;
      asked.set(callSid, times + 1);
      return home === doomed[2] && times === 0 ? home : times % 2;
    });
    const sessions = (): number => stack.provider.requests.filter(({ route }) => route === 'realtime').length;
    const before = sessions();
    const placed: { readonly callSid: string; readonly ended: Promise<CallOutcome> }[] = [];
    for (const [index] of points.entries()) {
      placed.push(await placeCall('en-plumbing', 8));
      await eventually('the call has its gateway', () => homes.size === index + 1);
    }
    // A gateway that dies before its call is written down leaves it to the reconciler: so all four have to speak with the agent first.
    await eventually('all four speak with the agent', () => sessions() - before >= points.length);
    await eventually('the last one is up', async () => (await active(gateways[doomed[3]!]!)) === 1);
    await gateways[doomed[3]!]!.kill();
    const outcomes = await Promise.all(placed.map((call) => call.ended));
    expect(outcomes.map(({ callbackStatuses }) => callbackStatuses.at(-1))).toEqual([204, 204, 204, 204]);
    const transcripts = await Promise.all(placed.map(({ callSid }) => turnsOf(callSid)));
    const words = wordsOf('en-plumbing');
    // What died before its event was stored took the live transcript with it; the recording has the words all the same.
    expect(transcripts).toEqual([[], words, words, []]);
    for (const { callSid } of placed) expect(await stack.streams.count('call.ended', callSid)).toBe(1);
  });
});

/** Calls that a gateway says it has. */
async function active(gateway: ServiceProcess): Promise<number> {
  const metrics = await (await fetch(`${gateway.healthUrl}/metrics`)).text();
  return Number(/^gateway_active_calls(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}

describe('SIGTERM with twenty calls up', () => {
  const CALLS = 20;
  /** 20 ms of G.711. */
  const FRAME_BYTES = 160;
  const byNumber = (one: number, other: number): number => one - other;
  const sessions = () => stack.provider.requests.filter(({ route }) => route === 'realtime');

  test('they go on to their own end, frame for frame and word for word, and a new caller hears that nobody can answer', async () => {
    const before = new Set(sessions());
    const leaving = await addGateway({ DRAIN_MS: '60000', SHUTDOWN_GRACE_MS: '70000' });
    send({ voice: 0, media: leaving, status: 1 });
    const placed = await Promise.all(Array.from({ length: CALLS }, () => placeCall('en-painting', 3)));
    await eventually('all of them are up', async () => (await active(gateways[leaving]!)) === CALLS);
    const exit = gateways[leaving]!.stop();
    await eventually(
      'it is unready',
      async () => (await fetch(`${gateways[leaving]!.healthUrl}/health/ready`)).status === 503,
    );
    const late = await placeCall('en-plumbing', 3);
    expect(await late.ended).toMatchObject({
      saidByCaller: [],
      heardFromAgent: [expect.stringContaining('we cannot take your call')],
      callbackStatuses: [204],
    });
    const outcomes = await Promise.all(placed.map((call) => call.ended));
    expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
    // Callers who hang up themselves: each frame that one of them sent has a place in the agent's ear, and no other has.
    const heard = sessions().filter((session) => !before.has(session));
    expect(heard.map(({ bytes }) => bytes / FRAME_BYTES).toSorted(byNumber)).toEqual(
      outcomes.map(({ frames }) => frames.sent).toSorted(byNumber),
    );
    expect(await exit).toBe(0);
    for (const { callSid } of placed) {
      expect(handOvers(callSid).map(({ fields }) => [fields['endedReason'], fields['count']])).toEqual([
        ['stream_stopped', wordsOf('en-painting').length],
      ]);
      expect(await stack.streams.count('call.ended', callSid)).toBe(1);
    }
  });

  test('at the limit they end properly, each once, as drained, and each caller is told that it broke off', async () => {
    const leaving = await addGateway({ DRAIN_MS: '1000', SHUTDOWN_GRACE_MS: '15000' });
    send({ voice: 0, media: leaving, status: 1 });
    const silent = { ...dialogueOf('silent'), silentSeconds: 600 };
    // Half of them are cut off in a long sentence: the end of the call is published once what was heard of it is written down.
    const text = 'I have a long story to tell. '.repeat(100);
    const talking = { ...silent, silent: false, turns: [{ speaker: 'caller', text } as const] };
    const heal = stack.provider.setFault({ route: 'realtime', kind: 'transcription_late', ms: 2_600 });
    const before = new Set(sessions());
    const placed = await Promise.all(
      Array.from({ length: CALLS }, (_, at) =>
        stack.telephone.placeCall({ dialogue: at % 2 === 0 ? silent : talking }),
      ),
    );
    const isHeard = ({ bytes }: { readonly bytes: number }): boolean => bytes >= 25 * FRAME_BYTES;
    const heard = () => sessions().filter((session) => !before.has(session) && isHeard(session));
    await eventually('the agents hear all of them', () => heard().length === CALLS);
    expect(await gateways[leaving]!.stop()).toBe(0);
    heal();
    for (const call of placed) {
      const { callbackStatuses, heardFromAgent } = await call.ended;
      expect(callbackStatuses.at(-1)).toBe(204);
      expect(heardFromAgent.at(-1)).toContain('the connection to our assistant was lost');
      const [handOver, ...more] = handOvers(call.callSid);
      expect([handOver?.fields['endedReason'], more]).toEqual(['drain', []]);
      expect(await stack.streams.count('call.ended', call.callSid)).toBe(1);
    }
    const talked = placed.filter((_, at) => at % 2 === 1).flatMap(({ callSid }) => handOvers(callSid));
    expect(talked.map(({ fields }) => fields['count'])).toEqual(Array.from({ length: CALLS / 2 }, () => 1));
  });
});
