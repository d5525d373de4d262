import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RetryLaterError, type CallEnded } from '@pipeline/contracts';
import type { Broker } from './broker.ts';
import { createCrashCount, standingOf } from './crash-count.ts';
import { callEnded, callErase, callTranscribed } from './fixtures/events.ts';
import type { Told } from './fixtures/mortal-worker.ts';
import { keepingMetrics, openRig, QUICK, transcriber, until, type Rig } from './fixtures/rig.ts';
import type { Stage, StageDefinition } from './stage-definition.ts';

const WORKER = fileURLToPath(new URL('./fixtures/mortal-worker.ts', import.meta.url));
const ACK_WAIT_MS = 1_500;

let server: RunningNats;
let rig: Rig;
let broker: Broker;
const stages: Stage[] = [];
const mortals = new Set<ChildProcess>();
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url, { ACK_WAIT_MS });
  await rig.provision();
  broker = await rig.connect();
});
afterEach(async () => {
  for (const mortal of mortals) mortal.kill('SIGKILL');
  await Promise.all(stages.splice(0).map((stage) => stage.stop()));
  await rig.close();
});

const keyOf = ({ callSid, revision }: CallEnded) => ({ stage: 'transcriber', callSid, revision });
const publish = async (events: readonly CallEnded[]) =>
  void (await Promise.all(events.map((event) => broker.publish(event))));

/** Keeps so many processes alive until `isOver`. Of what they said: a list of each, in the order of their births, and all as it came. */
async function keepAlive(
  replicas: number,
  slots: number,
  deadly: readonly CallEnded[],
  isOver: () => Promise<boolean>,
) {
  const lives: Told[][] = [];
  const journal: Told[] = [];
  const poisons = deadly.map(({ callSid }) => callSid).join(',');
  const bear = (): void => {
    const told: Told[] = [];
    lives.push(told);
    const mortal = fork(WORKER, [server.url, String(ACK_WAIT_MS), String(slots), poisons]);
    mortals.add(mortal);
    mortal.on('message', (one) => {
      told.push(one as Told); // our own fixture sends it
      journal.push(one as Told);
    });
    mortal.on('exit', () => void mortals.delete(mortal));
  };
  await until(
    'the end of all calls',
    async () => {
      while (mortals.size < replicas) bear();
      return isOver();
    },
    90_000,
  );
  return { lives, journal };
}

describe('messages that kill their workers', () => {
  it(
    'three of them, beside innocent ones in two processes: each ends by itself, and no innocent call loses its transcript',
    { timeout: 120_000 },
    async () => {
      const deadly = [callEnded(), callEnded(), callEnded()];
      const innocent = [callEnded(), callEnded(), callEnded(), callEnded()];
      const all = [...deadly, ...innocent];
      await publish(all);
      const { lives, journal } = await keepAlive(
        2,
        4,
        deadly,
        async () => (await rig.count('CALL_TRANSCRIBED')) === all.length,
      );

      for (const { businessId, callSid } of innocent) {
        const next = await broker.lastEvent('call.transcribed', businessId, callSid);
        expect(next?.data.transcript, callSid).not.toBeNull();
      }
      for (const { businessId, callSid } of deadly) {
        const next = await broker.lastEvent('call.transcribed', businessId, callSid);
        expect(next?.data.stages.transcriber?.code).toBe('WORKER_CRASHED');
        expect(await broker.lastDeadLetter(businessId, callSid)).not.toBeNull();
        const killed = lives.filter((told) => told.some((one) => one.kind === 'begun' && one.callSid === callSid));
        expect(killed.length).toBeGreaterThanOrEqual(3);
        // Its last try was alone, and the process that made it began nothing more. The one that was born last may have died long before.
        const last = journal.findLast((one) => one.kind === 'begun' && one.callSid === callSid);
        expect(last).toMatchObject({ callSid, beside: [callSid] });
        expect(killed.map((told) => told.findLast(({ kind }) => kind === 'begun'))).toContain(last);
      }
      expect(lives.flat().filter(({ kind }) => kind === 'handed_on')).toHaveLength(deadly.length);
      await until('all is settled', async () => (await broker.consumerState('transcriber')).ackPending === 0);
    },
  );

  it.each([
    [0, false, 'trusted'],
    [1, false, 'suspect'],
    [2, false, 'suspect'],
    [9, false, 'suspect'],
    [2, true, 'guilty'],
    [3, true, 'guilty'],
  ] as const)('after %i counted deaths, the last one alone: %s, it is %s', (count, diedAlone, standing) => {
    expect(standingOf({ count, diedAlone })).toBe(standing);
  });

  it('a count that an older release left, which knows nothing of being alone, makes a suspect and not a culprit', async () => {
    const event = callEnded();
    const crashes = createCrashCount(rig.operator);
    await rig.operator.js.publish(`$KV.CRASHES.transcriber.${event.callSid}.r1`, '3');
    expect(await crashes.read(keyOf(event))).toEqual({ count: 3, diedAlone: false });
    await crashes.note(keyOf(event), { count: 4, diedAlone: true });
    expect(await crashes.read(keyOf(event))).toEqual({ count: 4, diedAlone: true });
    await crashes.clear(keyOf(event));
    expect(await crashes.read(keyOf(event))).toEqual({ count: 0, diedAlone: false });
  });
});

describe('a message whose workers have died', () => {
  const held = new Set<() => void>();
  afterEach(() => held.forEach((letGo) => letGo()));

  /** An event whose workers died twice, without a process that dies: its first delivery is not worked, and the count is there. */
  const suspects = new Set<string>();
  async function publishSuspect(): Promise<CallEnded> {
    const event = callEnded();
    suspects.add(event.callSid);
    await createCrashCount(rig.operator).note(keyOf(event), { count: 1, diedAlone: false });
    await broker.publish(event);
    return event;
  }

  /** A transcriber in which each call stays in work until it is let go. */
  async function startHolding(change: Partial<StageDefinition<'transcriber'>> = {}, by = broker) {
    const inWork = new Map<string, () => void>();
    const { metrics, ...definition } = transcriber(rig, {
      timing: { ...QUICK, SLOTS: 3 },
      handle: async (event) => {
        if (event.attempt === 1 && suspects.has(event.callSid)) throw new RetryLaterError('not now');
        await new Promise<void>((resolve) => {
          held.add(resolve);
          inWork.set(event.callSid, resolve);
        });
        inWork.delete(event.callSid);
        return [callTranscribed(event)];
      },
      ...change,
    });
    const stage = await by.startStage({ ...definition, metrics });
    stages.push(stage);
    return {
      stage,
      letGo: ({ callSid }: CallEnded): void => inWork.get(callSid)?.(),
      isInWork: ({ callSid }: CallEnded): boolean => inWork.has(callSid),
      allInWork: () => [...inWork.keys()],
      outcomes: () => metrics.settled.map(({ outcome }) => outcome),
    };
  }
  const waitsAlone = () => rig.log.lines.some(({ message }) => message === 'to be worked alone');

  it('is begun when the others are finished, and nothing is begun beside it, erase commands neither', async () => {
    const one = await startHolding();
    const [before, after] = [callEnded(), callEnded()];
    await broker.publish(before);
    await until('one is in work', () => one.isInWork(before));
    const asked = await publishSuspect();
    await until('the suspect waits', waitsAlone);
    const metrics = keepingMetrics();
    let erased = 0;
    const handle = async () => {
      erased += 1;
      return [];
    };
    stages.push(
      await broker.startCommands({ crashPoint: () => undefined, handle, timing: QUICK, logger: rig.log, metrics }),
    );
    await publish([after]);
    await broker.publish(callErase());
    expect(one.allInWork()).toEqual([before.callSid]);
    one.letGo(before);
    await until('the suspect is in work', () => one.isInWork(asked));
    expect({ inWork: one.allInWork(), erased }).toEqual({ inWork: [asked.callSid], erased: 0 });
    one.letGo(asked);
    await until('the others follow', () => one.isInWork(after) && erased === 1);
    one.letGo(after);
    await until('all are done', () => one.outcomes().filter((outcome) => outcome === 'done').length === 3);
    expect(await createCrashCount(rig.operator).read(keyOf(asked))).toEqual({ count: 0, diedAlone: false });
  });

  it('is given back at once when the process stops before its turn, and keeps its count; the next process works it', async () => {
    const one = await startHolding();
    const before = callEnded();
    await broker.publish(before);
    await until('one is in work', () => one.isInWork(before));
    const asked = await publishSuspect();
    await until('the suspect waits', waitsAlone);
    const stopping = one.stage.stop();
    await until('it is given back', () => one.outcomes().length === 2);
    expect(one.isInWork(before)).toBe(true);
    expect(await createCrashCount(rig.operator).read(keyOf(asked))).toEqual({ count: 1, diedAlone: false });
    one.letGo(before);
    await stopping;
    expect(one.outcomes()).toEqual(['retried', 'retried', 'done']);
    const next = await startHolding({}, await rig.connect());
    await until('the suspect is in work', () => next.isInWork(asked));
    next.letGo(asked);
    await until('it is done', () => next.outcomes().includes('done'));
  });

  it('is given back when its turn does not come, so that another process may have it, and holds nobody up', async () => {
    const one = await startHolding({ timing: { ...QUICK, SLOTS: 3, SHUTDOWN_GRACE_MS: 300 } });
    const [before, after] = [callEnded(), callEnded()];
    await broker.publish(before);
    await until('one is in work', () => one.isInWork(before));
    const asked = await publishSuspect();
    await until('it is given back', () => one.outcomes().length >= 2);
    const other = await startHolding({}, await rig.connect());
    await until('another process has it', () => other.isInWork(asked));
    await publish([after]);
    await until('others are begun', () => one.isInWork(after));
    for (const event of [before, after]) one.letGo(event);
    other.letGo(asked);
    await until('it is done', () => other.outcomes().includes('done'));
    expect(await rig.count('CALL_DEAD')).toBe(0);
  });
});
