import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CallExtracted } from '@pipeline/contracts';
import { callEnded, callExtracted, callSummarized, callTranscribed } from './fixtures/events.ts';
import { keepingMetrics, openRig, QUICK, until, type Rig } from './fixtures/rig.ts';
import { rereadStream } from './reread.ts';

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

it('after a database was restored, extractor looks at its whole stream again while it runs: what is missing is worked, what is there is acknowledged', async () => {
  const broker = await rig.connect();
  const stored = new Map<string, CallExtracted>();
  const worked: string[] = [];
  const metrics = keepingMetrics();
  const stage = await broker.startStage({
    stage: 'extractor',
    crashPoint: () => undefined,
    timing: QUICK,
    logger: rig.log,
    metrics,
    handle: async ({ callSid }) => {
      const notice = callExtracted(callSid);
      stored.set(callSid, notice);
      worked.push(callSid);
      return [notice];
    },
    handOn: async () => [],
    ownResult: async ({ callSid }) => {
      const notice = stored.get(callSid);
      return notice === undefined ? null : [notice];
    },
  });
  const events = Array.from({ length: 4 }, () => callSummarized(callTranscribed(callEnded()), 'short'));
  for (const event of events) await broker.publish(event);
  await until('all are worked', () => worked.length === 4);
  await until('all are settled', async () => (await broker.consumerState('extractor')).ackPending === 0);

  const lost = events.slice(2).map(({ callSid }) => callSid);
  for (const callSid of lost) stored.delete(callSid);
  const who = { config: rig.config, identity: 'provision', instance: 'test/1', logger: rig.log } as const;
  expect(await rereadStream(who, 'extractor')).toBe(4);
  await until('all came again', () => metrics.settled.length === 8);
  expect(worked.slice(4).toSorted()).toEqual(lost.toSorted());
  expect(metrics.settled.filter(({ outcome }) => outcome === 'already_done')).toHaveLength(2);
  expect(await rig.count('CALL_EXTRACTED'), 'and nobody is told twice').toBe(4);
  await rig.operator.jsm.consumers.delete('CALL_SUMMARIZED', 'extractor');
  expect(await rereadStream(who, 'extractor'), 'also where the consumer is missing').toBe(4);
  await until('it is ready', () => stage.readiness().ok);
  await stage.stop();
});
