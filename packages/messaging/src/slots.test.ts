import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callEnded } from './fixtures/events.ts';
import { openRig, transcriber, until, type Rig } from './fixtures/rig.ts';

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
});
