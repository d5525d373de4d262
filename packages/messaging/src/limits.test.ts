import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, stageNotDone } from '@pipeline/contracts';
import type { Broker } from './broker.ts';
import { HAND_ON_BYTES, MAX_EVENT_BYTES } from './event-headers.ts';
import { callEnded, callSummarized, callTranscribed, transcribedOfSize } from './fixtures/events.ts';
import { openRig, summarizer, transcriber, until, type Rig } from './fixtures/rig.ts';
import type { Stage } from './stage-definition.ts';

let server: RunningNats;
let rig: Rig;
let broker: Broker;
const stages: Stage[] = [];
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url);
  await rig.provision();
  broker = await rig.connect();
});
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.stop()));
  await rig.close();
});

/** Starts a transcriber and returns what it settled. */
async function start(change: Parameters<typeof transcriber>[1]) {
  const { metrics, ...definition } = transcriber(rig, change);
  const stage = await broker.startStage({ ...definition, metrics });
  stages.push(stage);
  return { stage, metrics, outcomes: () => metrics.settled.map(({ outcome }) => outcome) };
}

const wideLines = () => rig.log.lines.filter(({ fields }) => fields['outcome'] !== undefined);

describe('an event close to the largest size', () => {
  const refusedSummarizer = () =>
    summarizer(rig, {
      handle: () => Promise.reject(new PermanentError('PROVIDER_REFUSED')),
      handOn: async ({ attempt, ...received }, failure) => {
        const next = callSummarized(received, null);
        const results = { ...next.data.stages, summarizer: stageNotDone(failure, attempt) };
        return [{ ...next, data: { ...next.data, stages: results } }];
      },
    });

  it('leaves room for every later stage to hand it on', async () => {
    const event = callEnded();
    const first = await start({ handle: async (received) => [transcribedOfSize(received, MAX_EVENT_BYTES - 100)] });
    const second = refusedSummarizer();
    stages.push(await broker.startStage(second));
    await broker.publish(event);
    await until('both are settled', () => first.outcomes().length + second.metrics.settled.length >= 2);
    expect(first.outcomes()).toEqual(['handed_on']);
    expect(second.metrics.settled.map(({ outcome }) => outcome)).toEqual(['handed_on']);
  });

  it('that may just be published is handed on whole', async () => {
    const event = transcribedOfSize(callEnded(), MAX_EVENT_BYTES - HAND_ON_BYTES);
    await broker.publish(event);
    await expect(broker.publish(transcribedOfSize(callEnded(), MAX_EVENT_BYTES - HAND_ON_BYTES + 1))).rejects.toThrow(
      PermanentError,
    );
    const failing = refusedSummarizer();
    stages.push(await broker.startStage(failing));
    await until('it is settled', () => failing.metrics.settled.length > 0);
    expect(failing.metrics.settled.map(({ outcome }) => outcome)).toEqual(['handed_on']);
    const next = await broker.lastEvent('call.summarized', event.businessId, event.callSid);
    expect(next?.data.transcript).toEqual(event.data.transcript);
  });
});

describe('a broker without room', () => {
  const bucketBytes = async () => (await rig.operator.jsm.streams.info('OBJ_CALL_EVENTS')).state.bytes;
  const refusals = () => rig.log.lines.filter(({ message }) => message.startsWith('not published yet')).length;
  const settledOf = (callSid: string) =>
    wideLines().flatMap(({ fields }) => (fields['callSid'] === callSid ? [fields['outcome']] : []));

  it('a result that does not fit into the object bucket holds no slot, fills nothing, and goes on when there is room', async () => {
    const [large, ...small] = [callEnded(), callEnded(), callEnded()];
    const { stage, outcomes } = await start({
      handle: async (event) => [
        callTranscribed(event, 'x'.repeat(event.callSid === large.callSid ? 3_900_000 : 700_000)),
      ],
    });
    await until('it is bound', () => stage.readiness().ok);
    await rig.operator.jsm.streams.update('OBJ_CALL_EVENTS', { max_bytes: 3 * 1_048_576 });
    for (const event of [large, ...small]) await broker.publish(event);
    await until('the small ones are done', () => outcomes().filter((outcome) => outcome === 'done').length === 2);
    await until('the large one is given back', () => settledOf(large.callSid).includes('retried'));
    expect(settledOf(large.callSid)).not.toContain('done');
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(2);
    await rig.provision();
    await until('the large one is done', () => settledOf(large.callSid).includes('done'));
    expect(await bucketBytes()).toBeLessThan(5_400_000);
  });

  it('a full stream of events makes the stage wait with what it has: nothing is paid again and nothing more is begun', async () => {
    const events = [callEnded(), callEnded()];
    let paid = 0;
    const { stage, outcomes } = await start({
      handle: async (event) => {
        paid += 1;
        return [callTranscribed(event, 'x'.repeat(700_000))];
      },
    });
    await until('it is bound', () => stage.readiness().ok);
    await rig.operator.jsm.streams.update('CALL_TRANSCRIBED', { max_bytes: 100 });
    for (const event of events) await broker.publish(event);
    await until('the stream has refused often', () => refusals() >= 5);
    expect(outcomes()).toEqual([]);
    expect(paid).toBe(1);
    await rig.provision();
    await until('both are done', () => events.every(({ callSid }) => settledOf(callSid).includes('done')));
    expect(paid).toBe(2);
    expect(await bucketBytes()).toBeLessThan(1_500_000);
  });
});
