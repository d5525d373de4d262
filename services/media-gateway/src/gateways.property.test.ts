import type { CallEnded } from '@pipeline/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentEvent } from './agent.ts';
import type { CallInput } from './call/call.ts';
import type { MediaStream } from './running-call.ts';
import { CALL_SID, limits } from './testing/examples.ts';
import { createNetwork, settle, type Network } from './testing/interleaving.ts';
import { createMemoryBucket } from './testing/memory-bucket.ts';
import { startPod, type MemoryStream, type Pod } from './testing/pod.ts';

const RUNS = 3_000;
const KILLED_RUNS = 200;
const deadStream: MediaStream = { play: () => undefined, clear: () => undefined, close: () => undefined };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** One call as Twilio lets it happen, and three gateways, any of which each of its requests may reach. */
type Scenario = {
  readonly voice: number;
  readonly media: number;
  /** When the caller's last words are written down: while the call lasts, or when it is over already. */
  readonly lastWords: 'before' | 'in_grace';
  readonly ends: readonly ('media_stopped' | 'media_closed' | 'congested')[];
  readonly callbacks: readonly { readonly pod: number; readonly at: 'answered' | 'live' | 'ending' | 'ended' }[];
  /** What happens next, again and again: an operation of the network, time, or the next thing that the outside does. */
  readonly choices: readonly { readonly what: 'network' | 'time' | 'outside' | 'kill'; readonly which: number }[];
};

const pod = fc.nat(2);
const scenarioWith = (kills: number): fc.Arbitrary<Scenario> =>
  fc.record({
    voice: pod,
    media: pod,
    lastWords: fc.constantFrom('before' as const, 'in_grace' as const),
    ends: fc.shuffledSubarray(['media_stopped', 'media_closed', 'congested'] as const, { minLength: 1 }),
    callbacks: fc.array(
      fc.record({
        pod,
        at: fc.constantFrom('answered' as const, 'live' as const, 'ending' as const, 'ended' as const),
      }),
      { maxLength: 3 },
    ),
    choices: fc.array(
      fc.record({
        what: fc.oneof(
          { weight: 6, arbitrary: fc.constant('network' as const) },
          { weight: 2, arbitrary: fc.constant('time' as const) },
          { weight: 3, arbitrary: fc.constant('outside' as const) },
          { weight: kills, arbitrary: fc.constant('kill' as const) },
        ),
        which: fc.nat(999),
      }),
      { minLength: 10, maxLength: 100 },
    ),
  });

type World = {
  readonly pods: readonly Pod[];
  readonly network: Network;
  readonly stream: MemoryStream;
  /** What each callback was told, and whether the call was published at that moment. */
  readonly notes: { readonly kind: string; readonly wasPublished: boolean }[];
  /** Words that were written down while the owner of the media stream took them. */
  readonly words: string[];
  isAnswered: boolean;
  hasOpened: boolean;
  isKilled: boolean;
};

function newWorld(): World {
  vi.clearAllTimers(); // of the world before
  const network = createNetwork();
  const bucket = createMemoryBucket();
  const stream: MemoryStream = { events: new Map<string, CallEnded>() };
  const pods = ['A', 'B', 'C'].map((name) => startPod(name, { network, bucket, stream }));
  return { pods, network, stream, notes: [], words: [], isAnswered: false, hasOpened: false, isKilled: false };
}

function tell(world: World, at: number): Promise<void> {
  return world.pods[at]!.callback('completed').then(
    ({ kind }) => void world.notes.push({ kind, wasPublished: world.stream.events.size > 0 }),
  );
}

/** What Twilio and the agent do to one call, step by step; false when nothing is left. */
function outsideOf(scenario: Scenario, world: World): () => Promise<boolean> {
  const [voice, media] = [world.pods[scenario.voice]!, world.pods[scenario.media]!];
  let token = '';
  const started = new Set<string>();
  const report = (event: AgentEvent): void => media.agent.sessions[0]?.report(event);
  const isCarried = (): boolean =>
    media.agent.sessions.length > 0 && media.calls.find(CALL_SID)?.isOver() === false && !world.isKilled;
  const start = (itemId: string): void => {
    if (isCarried()) started.add(itemId);
    report({ kind: 'caller_started', itemId, atMs: itemId === 'c1' ? 0 : 900 });
    report({ kind: 'caller_stopped', itemId });
  };
  const write = (itemId: string, text: string): void => {
    const overAt = media.overAt();
    const isInGrace = overAt !== null && performance.now() - overAt < limits.transcriptionGraceMs;
    if (isCarried() || (isInGrace && started.has(itemId))) world.words.push(text);
    report({ kind: 'caller_text', itemId, text, isFinal: true });
  };
  const callbacks = (at: string) =>
    scenario.callbacks.filter((each) => each.at === at).map((each) => () => void tell(world, each.pod));
  const steps: (() => Promise<void> | void)[] = [
    async () => {
      void (async () => {
        const answer = await voice.answer();
        token = answer.kind === 'connected' ? answer.token : '';
        world.isAnswered = true;
      })();
      await settleAll(world.network); // Twilio opens the stream when it has the answer
    },
    ...callbacks('answered'),
    () => {
      void (async () => {
        world.hasOpened = (await media.calls.openStream(CALL_SID, token, deadStream)) !== null;
      })();
    },
    () => report({ kind: 'agent_ready' }),
    () => {
      start('c1');
      write('c1', 'first words');
    },
    ...callbacks('live'),
    () => start('c2'),
    () => (scenario.lastWords === 'before' ? write('c2', 'last words') : undefined),
    ...callbacks('ending'),
    ...scenario.ends.map((kind) => () => media.calls.find(CALL_SID)?.receive({ kind } satisfies CallInput)),
    ...callbacks('ended'),
    () => (scenario.lastWords === 'in_grace' ? write('c2', 'last words') : undefined),
  ];
  return async () => {
    const step = steps.shift();
    await step?.();
    return step !== undefined;
  };
}

async function settleAll(network: Network): Promise<void> {
  await settle();
  while (network.release(0)) await settle();
}

/** Plays a scenario, and then lets network and time run until nobody has anything left to do. */
async function play(scenario: Scenario): Promise<World> {
  const world = newWorld();
  const { network, pods } = world;
  const next = outsideOf(scenario, world);
  for (const { what, which } of scenario.choices) {
    if (what === 'network') network.release(which);
    else if (what === 'time') await vi.advanceTimersByTimeAsync([10, 250, 500, 1_000, 2_000][which % 5] ?? 10);
    else if (what === 'outside') await next();
    else {
      network.kill(pods[scenario.media]!.name);
      world.isKilled = true;
    }
    await settle();
  }
  while (await next()) await settleAll(network);
  const isQuiet = (): boolean =>
    world.isKilled ||
    (world.notes.length >= scenario.callbacks.length &&
      world.stream.events.size > 0 &&
      pods.every((each) => each.calls.find(CALL_SID) === undefined));
  // At most the wait for a media stream, and the wait of a callback after it.
  await runOn(world, 90_000, isQuiet);
  return world;
}

async function runOn({ network }: World, ms: number, isDone: () => boolean): Promise<void> {
  for (let elapsed = 0; elapsed < ms; elapsed += 250) {
    await settleAll(network);
    if (isDone()) return;
    await vi.advanceTimersByTimeAsync(250);
  }
}

const eventsOf = ({ stream }: World) => [...stream.events.values()];
const textsOf = (event: CallEnded | undefined) => event?.data.liveTranscript?.map(({ text }) => text) ?? null;

describe('one call, its requests at three gateways, in any interleaving of network and time', () => {
  it(`is published once, with every word that was said if its media stream opened (${RUNS} interleavings)`, async () => {
    const seen = { opened: 0, elsewhere: 0, words: 0 };
    await fc.assert(
      fc.asyncProperty(scenarioWith(0), async (scenario) => {
        const world = await play(scenario);
        expect(eventsOf(world)).toHaveLength(1);
        expect(world.notes).toHaveLength(scenario.callbacks.length);
        // I14: nobody is told that it is published before it is.
        expect(world.notes.filter(({ kind, wasPublished }) => kind !== 'unnoted' && !wasPublished)).toEqual([]);
        expect(textsOf(eventsOf(world)[0])).toEqual(world.hasOpened ? world.words : null);
        seen.opened += Number(world.hasOpened);
        seen.words += world.words.length;
        seen.elsewhere += Number(scenario.callbacks.some((each) => each.pod !== scenario.media));
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(seen.opened, 'calls that were carried').toBeGreaterThan(RUNS / 3);
    expect(seen.words, 'words that could have been lost').toBeGreaterThan(RUNS / 3);
    expect(seen.elsewhere, 'callbacks at another gateway').toBeGreaterThan(RUNS / 3);
  });

  it(`F1 F5 whose gateway is killed at any moment is published once by a callback that reaches another (${KILLED_RUNS} interleavings)`, async () => {
    await fc.assert(
      fc.asyncProperty(scenarioWith(1), async (scenario) => {
        const world = await play(scenario);
        // Killed before it had answered: then there was no call.
        fc.pre(world.isKilled && world.isAnswered);
        // Twilio's callback, to a gateway that lives, once the dead one can be known to be silent.
        const before = world.notes.length;
        void tell(world, (scenario.media + 1) % 3);
        await runOn(world, 12_000, () => world.notes.slice(before).some(({ kind }) => kind === 'noted'));
        expect(world.notes.slice(before)).toContainEqual({ kind: 'noted', wasPublished: true });
        expect(eventsOf(world)).toHaveLength(1);
      }),
      { numRuns: KILLED_RUNS, endOnFailure: true },
    );
  });
});
