import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { nanos } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RetryLaterError } from '@pipeline/contracts';
import { callEnded, callErase, callTranscribed } from './fixtures/events.ts';
import { PULL_EXPIRES_MS } from './pull.ts';
import { keepingMetrics, openRig, QUICK, transcriber, until, type Rig } from './fixtures/rig.ts';

let server: RunningNats;
let rig: Rig;
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => void (rig = await openRig(server.url)));
afterEach(() => rig.close());

const outcomes = ({ metrics }: { metrics: ReturnType<typeof keepingMetrics> }) =>
  metrics.settled.map(({ outcome }) => outcome);

describe('the life of a stage', () => {
  it('starts before anything is provisioned, says what is missing, and works once it is there', async () => {
    const broker = await rig.connect();
    const definition = transcriber(rig);
    const stage = await broker.startStage(definition);
    await until('it looked', () => JSON.stringify(stage.readiness()).includes('CALL_ENDED/transcriber is missing'));
    await rig.provision();
    await broker.publish(callEnded());
    await until('it works', () => outcomes(definition).length === 1);
    expect(outcomes(definition)).toEqual(['done']);
    expect(stage.readiness()).toEqual({ ok: true });
    await stage.stop();
  });

  it('with another configuration than expected it pulls nothing and says the difference, until it is repaired', async () => {
    await rig.provision();
    await rig.operator.jsm.consumers.update('CALL_ENDED', 'transcriber', { ack_wait: nanos(9_000) });
    const broker = await rig.connect();
    const definition = transcriber(rig);
    const stage = await broker.startStage(definition);
    await broker.publish(callEnded());
    const difference = 'CALL_ENDED/transcriber ack_wait is 9 s, expected 1.5 s';
    await until('it looked', () => rig.log.lines.some(({ fields }) => fields['difference'] === difference));
    expect(stage.readiness()).toEqual({ ok: false, reason: difference });
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 1, ackPending: 0 });
    await rig.provision();
    await until('it works', () => outcomes(definition).length === 1);
    expect(stage.readiness()).toEqual({ ok: true });
    await stage.stop();
  });

  it('goes on while a raised MAX_ACK_PENDING is rolled out: it is provisioned before the pods are replaced', async () => {
    const broker = await rig.connect();
    await rig.provision({ MAX_ACK_PENDING: 5_000 });
    const definition = transcriber(rig); // with the configuration of before, which it compares as every running pod does twice a minute
    const stage = await broker.startStage(definition);
    await broker.publish(callEnded());
    await until('it works', () => outcomes(definition).length === 1);
    expect(stage.readiness()).toEqual({ ok: true });
    await stage.stop();
  });

  it('a consumer that is deleted while it runs makes it unready; when it is back, nothing is worked twice', async () => {
    await rig.provision();
    const broker = await rig.connect();
    let worked = 0;
    const definition = transcriber(rig, {
      timing: { ...QUICK, PULL_EXPIRES_MS },
      handle: async (event) => {
        worked += 1;
        return [callTranscribed(event)];
      },
    });
    const stage = await broker.startStage(definition);
    await Promise.all([callEnded(), callEnded(), callEnded()].map((event) => broker.publish(event)));
    await until('all are worked', () => outcomes(definition).length === 3);
    const { consumers } = rig.operator.jsm;
    await until('it pulls again', async () => (await consumers.info('CALL_ENDED', 'transcriber')).num_waiting === 1);
    await consumers.delete('CALL_ENDED', 'transcriber');
    await until('it is unready', () => !stage.readiness().ok);
    expect(stage.readiness()).toEqual({ ok: false, reason: 'CALL_ENDED/transcriber is missing' });
    const failed = rig.log.lines.find(({ message }) => message === 'a pull failed');
    expect(failed?.fields).toMatchObject({ reason: expect.stringMatching(/^consumer deleted$/i) });
    await rig.provision();
    await until('all came again', () => outcomes(definition).length === 6);
    expect(outcomes(definition).slice(3)).toEqual(['already_done', 'already_done', 'already_done']);
    expect(worked).toBe(3);
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(3);
    await until('it is ready', () => stage.readiness().ok);
    await stage.stop();
  });

  it('goes on after the server was killed, and pays for nothing twice though acknowledgements may be lost', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const worked: string[] = [];
    const definition = transcriber(rig, {
      handle: async (event) => {
        worked.push(event.callSid);
        return [callTranscribed(event)];
      },
    });
    const stage = await broker.startStage(definition);
    const [before, after] = [callEnded(), callEnded()];
    await broker.publish(before);
    await until('it works', () => outcomes(definition).length === 1);
    await server.kill();
    await until('the loss is noticed', () => !broker.readiness().ok);
    await server.restart();
    await broker.publish(after);
    await until('it works again', () => worked.includes(after.callSid));
    await until('all is settled', async () => (await broker.consumerState('transcriber')).ackPending === 0);
    expect(worked).toEqual([before.callSid, after.callSid]);
    await until('it is ready', () => stage.readiness().ok);
    await until('the test is connected again', rig.operator.isConnected);
    await stage.stop();
  });

  it('stop finishes what is in hand, takes nothing new and is held up by idle pulls no longer than they last', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const definition = transcriber(rig, {
      timing: { ...QUICK, SLOTS: 3 },
      handle: async (event) => {
        begun += 1;
        await gate.promise;
        return [callTranscribed(event)];
      },
    });
    const stage = await broker.startStage(definition);
    await broker.publish(callEnded());
    await until('one is in hand', () => begun === 1);
    const stopping = stage.stop();
    const late = callEnded();
    await broker.publish(late);
    const before = performance.now();
    gate.resolve();
    await stopping;
    expect(performance.now() - before).toBeLessThan(PULL_EXPIRES_MS - 500);
    expect(outcomes(definition)).toEqual(['done']);
    expect(begun).toBe(1);
    await broker.close();

    const next = await rig.connect();
    const successor = transcriber(rig);
    const nextStage = await next.startStage(successor);
    await until('the successor has the late one', () => outcomes(successor).length === 1);
    expect(await next.lastEvent('call.transcribed', late.businessId, late.callSid)).not.toBeNull();
    await nextStage.stop();
  });

  it('leaves no open pull behind when it has stopped: what is published then is left to others, and not taken along', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const stage = await broker.startStage(transcriber(rig, { timing: { ...QUICK, SLOTS: 4 } }));
    const openPulls = async () => (await rig.operator.jsm.consumers.info('CALL_ENDED', 'transcriber')).num_waiting;
    await until('it pulls', async () => (await openPulls()) > 0);
    await stage.stop();
    expect(await openPulls()).toBe(0);
    await broker.publish(callEnded());
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 1, ackPending: 0 });
  });

  it('what is in hand when the grace ends is aborted and given back', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const definition = transcriber(rig, {
      timing: { ...QUICK, SHUTDOWN_GRACE_MS: 100 },
      handle: (_event, _inHand, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    });
    const stage = await broker.startStage(definition);
    await broker.publish(callEnded());
    await until('it is in hand', async () => (await broker.consumerState('transcriber')).ackPending === 1);
    await stage.stop();
    expect(outcomes(definition)).toEqual(['retried']);
    const successor = transcriber(rig);
    const next = await broker.startStage(successor);
    await until('another one finishes it', () => outcomes(successor).includes('done'));
    await next.stop();
  });

  it('two runners of one stage share the work, and nothing is done twice', async () => {
    await rig.provision();
    const brokers = [await rig.connect(), await rig.connect()] as const;
    const worked: string[] = [];
    const start = async (broker: (typeof brokers)[number]) => {
      const definition = transcriber(rig, {
        timing: { ...QUICK, SLOTS: 4 },
        handle: async (event) => {
          worked.push(event.callSid);
          return [callTranscribed(event)];
        },
      });
      return { definition, stage: await broker.startStage(definition) };
    };
    const runners = await Promise.all(brokers.map(start));
    const events = Array.from({ length: 60 }, () => callEnded());
    await Promise.all(events.map((event) => brokers[0].publish(event)));
    await until('all are settled', () => runners.flatMap(({ definition }) => outcomes(definition)).length === 60);
    expect(new Set(worked).size).toBe(60);
    expect(worked).toHaveLength(60);
    expect(runners.every(({ definition }) => outcomes(definition).length > 0)).toBe(true);
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(60);
    await Promise.all(runners.map(({ stage }) => stage.stop()));
  });

  it('a message that is worked longer than the ack wait is not given to another one', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const attempts: number[] = [];
    const definition = transcriber(rig, {
      timing: { ...QUICK, SLOTS: 2 },
      handle: async (event) => {
        attempts.push(event.attempt);
        const end = performance.now() + 2 * rig.config.ACK_WAIT_MS;
        await until('twice the ack wait has passed', () => performance.now() > end);
        return [callTranscribed(event)];
      },
    });
    const stage = await broker.startStage(definition);
    await broker.publish(callEnded());
    await until('it is settled', () => outcomes(definition).length === 1);
    expect(attempts).toEqual([1]);
    await stage.stop();
  });
});

describe('own result first', () => {
  it('a message whose next event is already there is acknowledged, and nothing is paid', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const event = callEnded();
    await broker.publish(callTranscribed(event));
    await broker.publish(event);
    let paid = 0;
    const definition = transcriber(rig, {
      handle: async (received) => {
        paid += 1;
        return [callTranscribed(received)];
      },
    });
    const stage = await broker.startStage(definition);
    await until('it is settled', () => outcomes(definition).length === 1);
    expect(outcomes(definition)).toEqual(['already_done']);
    expect(paid).toBe(0);
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 0, ackPending: 0 });
    await stage.stop();
  });

  it('F30 a later result covers an older message, an older result does not cover a later one', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const [covered, uncovered] = [callEnded(), callEnded()];
    await broker.publish(callTranscribed(callEnded(covered.callSid, 2)));
    await broker.publish(covered);
    await broker.publish(callTranscribed(uncovered));
    await broker.publish(callEnded(uncovered.callSid, 2));
    const definition = transcriber(rig);
    const stage = await broker.startStage(definition);
    await until('both are settled', () => outcomes(definition).length === 2);
    expect(outcomes(definition)).toEqual(['already_done', 'done']);
    await stage.stop();
  });

  it('a stage with its own look publishes what that returns and works nothing', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const event = callEnded();
    const definition = transcriber(rig, {
      ownResult: async (received) => [callTranscribed(received)],
      handle: () => Promise.reject(new Error('must not be worked')),
    });
    const stage = await broker.startStage(definition);
    await broker.publish(event);
    await until('it is settled', () => outcomes(definition).length === 1);
    expect(outcomes(definition)).toEqual(['already_done']);
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(1);
    await stage.stop();
  });
});

describe('erase commands', () => {
  it('are worked by their own consumer and retried until done, also after a permanent failure', async () => {
    await rig.provision();
    const broker = await rig.connect();
    const metrics = keepingMetrics();
    const attempts: number[] = [];
    const stage = await broker.startCommands({
      crashPoint: () => undefined,
      handle: async (command) => {
        attempts.push(command.attempt);
        if (command.attempt === 1) throw new RetryLaterError('database', { deadline: 'none' });
        if (command.attempt === 2) throw new TypeError('a bug');
        return [];
      },
      timing: { ...QUICK, PROVIDER_DEADLINE_MS: 0 },
      logger: rig.log,
      metrics,
    });
    await broker.publish(callErase());
    await until('it is done', () => outcomes({ metrics }).includes('done'));
    expect(attempts).toEqual([1, 2, 3]);
    expect(await broker.consumerState('extractor-commands')).toEqual({ pending: 0, ackPending: 0 });
    await stage.stop();
  });
});
