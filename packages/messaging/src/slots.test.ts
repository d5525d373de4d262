import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callEnded, callTranscribed } from './fixtures/events.ts';
import { openRig, QUICK, transcriber, until, type Rig } from './fixtures/rig.ts';
import { PULL_EXPIRES_MS } from './pull.ts';

let server: RunningNats;
let rig: Rig;
beforeAll(async () => {
  server = await startNats();
  rig = await openRig(server.url);
  await rig.provision();
});
afterAll(async () => {
  await rig.close();
  await server.stop();
});

describe('pulls', () => {
  it('a process that is held up for a second and a half while its pull ends gets its message all the same', async () => {
    const broker = await rig.connect();
    const attempts: number[] = [];
    const definition = transcriber(rig, {
      timing: { ...QUICK, PULL_EXPIRES_MS },
      handle: async (event) => {
        attempts.push(event.attempt);
        return [callTranscribed(event)];
      },
    });
    const stage = await broker.startStage(definition);
    await until('it is ready', () => stage.readiness().ok);
    await broker.publish(callEnded());
    await until('it works', () => definition.metrics.settled.length === 1);
    // The next pull began now. The event is on its way to a process that sees neither it nor the clock.
    const begunAt = performance.now();
    await until('the pull is about to end', () => performance.now() - begunAt > PULL_EXPIRES_MS - 150);
    const published = broker.publish(callEnded());
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    await published;
    await until('it works again', () => definition.metrics.settled.length === 2);
    await stage.stop();
    expect(attempts, 'neither was delivered before and lost').toEqual([1, 1]);
  }, 60_000);

  it(
    'a server that hangs makes an idle stage unready before the connection notices, and it recovers',
    { timeout: 60_000 },
    async () => {
      const broker = await rig.connect();
      const definition = transcriber(rig);
      const stage = await broker.startStage(definition);
      await until('it is ready', () => stage.readiness().ok);
      process.kill(server.pid, 'SIGSTOP');
      try {
        await until('nothing answers', () => !stage.readiness().ok, 20_000);
        expect(broker.readiness()).toEqual({ ok: true });
        expect(stage.readiness()).toMatchObject({ ok: false });
      } finally {
        process.kill(server.pid, 'SIGCONT');
      }
      await until('it is ready again', () => stage.readiness().ok, 20_000);
      await broker.publish(callEnded());
      await until('it works', () => definition.metrics.settled.length === 1);
      await stage.stop();
    },
  );
});
