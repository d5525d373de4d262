import type { CallEnded } from '@pipeline/contracts';
import { answerCall, type Answer, type AnswerDeps } from '../answer-call.ts';
import { createArrivals } from '../arrivals.ts';
import { createCalls, type Calls } from '../calls.ts';
import { noteStatus, type Noted } from '../note-status.ts';
import { createEndPublisher } from '../publish-end.ts';
import { createSharing } from '../sharing.ts';
import { business, createPuppetAgent, limits, ringing, silentLogger, type PuppetAgent } from './examples.ts';
import type { Network } from './interleaving.ts';
import { createMemoryBucket, type MemoryBucket } from './memory-bucket.ts';

/** A stream as the broker's: the first event of an id stands, and every operation takes its turn in the network. */
export type MemoryStream = { readonly events: Map<string, CallEnded> };

/** One gateway process of several, without its sockets. */
export type Pod = {
  readonly name: string;
  readonly calls: Calls;
  readonly agent: PuppetAgent;
  /** When its call was over, on the faked clock. */
  readonly overAt: () => number | null;
  answer(): Promise<Answer>;
  callback(status: string): Promise<Noted>;
};

const CALLBACK_MS = 10_000;

export function startPod(name: string, world: { network: Network; bucket: MemoryBucket; stream: MemoryStream }): Pod {
  const { network, stream } = world;
  const { shared } = createMemoryBucket({ turn: () => network.turn(name), entries: world.bucket.entries });
  const agent = createPuppetAgent();
  const { presence, directory, room } = createSharing({
    ...shared,
    instance: name,
    activeCount: () => calls.activeCount(),
    countBefore: (callSid, businessId) => arrivals.countBefore(callSid, businessId),
    tokenTtlMs: 60_000,
    longestCallMs: 3_600_000,
    logger: silentLogger,
  });
  let overAt: number | null = null;
  const send = async (event: CallEnded): Promise<void> => {
    await network.turn(name);
    if (!stream.events.has(event.id)) stream.events.set(event.id, event);
    await network.turn(name);
  };
  const publisher = createEndPublisher({ send, directory, logger: silentLogger });
  const calls = createCalls({
    agent,
    publish: publisher.publish,
    directory,
    limits,
    onOver: ({ businessId, callSid }) => {
      overAt ??= performance.now();
      room.release(businessId, callSid);
    },
    onEnded: () => undefined,
    logger: silentLogger,
  });
  const arrivals = createArrivals(calls);
  const deps: AnswerDeps = {
    settings: { byPhone: async () => business },
    calls,
    directory,
    limits,
    room,
    arrivals,
    hasRoom: () => true,
    logger: silentLogger,
  };
  presence.start();
  return {
    name,
    calls,
    agent,
    overAt: () => overAt,
    answer: () => answerCall(ringing, deps, new AbortController().signal),
    callback: async (status) => {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), CALLBACK_MS);
      const noted = await noteStatus({ ...ringing, status }, deps, late.signal);
      clearTimeout(timer);
      return noted;
    },
  };
}
