import { setTimeout as sleep } from 'node:timers/promises';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callEnded } from './fixtures/events.ts';
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

  it(
    'F24 after the broker was away no message goes to a pull that nobody waits for any more',
    { timeout: 90_000 },
    async () => {
      const patient = await openRig(server.url, { ACK_WAIT_MS: 60_000 });
      await patient.provision();
      const broker = await patient.connect();
      const definition = transcriber(patient, { timing: { ...QUICK, SLOTS: 4 } });
      const stage = await broker.startStage(definition);
      await until('it is ready', () => stage.readiness().ok);
      await server.kill();
      // Longer than a pull waits: then pulls begin without a broker, too.
      await sleep(PULL_EXPIRES_MS * 1.6);
      await server.restart();
      await until('it is connected', () => broker.readiness().ok, 20_000);
      const events = Array.from({ length: 40 }, () => callEnded());
      for (const event of events) {
        await broker.publish(event);
        await sleep(100);
      }
      // Far below the time after which the broker gives a lost message to somebody else.
      await until('all are done', () => definition.metrics.settled.length === events.length, 25_000);
      expect(new Set(definition.metrics.settled.map(({ outcome }) => outcome))).toEqual(new Set(['done']));
      await stage.stop();
      await patient.close();
    },
  );
});
