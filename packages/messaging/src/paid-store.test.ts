import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PermanentError, RetryLaterError, type PaidSteps } from '@pipeline/contracts';
import { callEnded, callTranscribed } from './fixtures/events.ts';
import { openRig, transcriber, until, type Rig } from './fixtures/rig.ts';
import { createPaidStore } from './paid-store.ts';
import type { Stage } from './stage-definition.ts';

let server: RunningNats;
let rig: Rig;
const stages: Stage[] = [];
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url);
  await rig.provision();
});
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.stop()));
  await rig.close();
});

/** A transcriber of one process of its own, and what it settled. */
async function start(change: Parameters<typeof transcriber>[1]) {
  const broker = await rig.connect();
  const { metrics, ...definition } = transcriber(rig, change);
  const stage = await broker.startStage({ ...definition, metrics });
  stages.push(stage);
  return { broker, stage, outcomes: () => metrics.settled.map(({ outcome }) => outcome) };
}

/** One step that always succeeds, and how often it was paid. */
function provider() {
  const asked = { times: 0 };
  const pay = (paid: PaidSteps) => paid.once('first', z.string(), async () => ((asked.times += 1), 'words'));
  return { asked, pay };
}

/** Entries that hold something: a forgotten one leaves an empty message for a while. */
async function heldEntries(): Promise<number> {
  const { state } = await rig.operator.jsm.streams.info('KV_PAID', { subjects_filter: '>' });
  const entries = Object.keys(state.subjects ?? {}).map((subject) =>
    rig.operator.jsm.streams.getMessage('KV_PAID', { last_by_subj: subject }),
  );
  return (await Promise.all(entries)).filter(({ data }) => data.length > 0).length;
}

const busy = () => Promise.reject(new RetryLaterError('503'));

describe('what was paid for a message that is given back', () => {
  it('is found by the process that gets it next, and is gone when the message is settled', async () => {
    const { asked, pay } = provider();
    const event = callEnded();
    const first = await start({
      handle: async (_event, { paid }) => {
        await pay(paid);
        throw new RetryLaterError('503', { retryAfterMs: 300 });
      },
    });
    await first.broker.publish(event);
    await until('the first process has given it back', () => first.outcomes().length > 0);
    await first.stage.stop();
    expect(await heldEntries()).toBe(1);
    const said: string[] = [];
    const second = await start({
      handle: async (received, { paid }) => {
        said.push(await pay(paid));
        return [callTranscribed(received)];
      },
    });
    await until('the second process is done', () => second.outcomes().includes('done'));
    expect(said).toEqual(['words']);
    expect(asked.times).toBe(1);
    expect(await heldEntries()).toBe(0);
  });

  it('is kept when a shutdown ends the attempt', async () => {
    const { asked, pay } = provider();
    const event = callEnded();
    let isPaid = false;
    const timing = { ...transcriber(rig).timing, SHUTDOWN_GRACE_MS: 200 };
    const first = await start({
      timing,
      handle: async (_event, { paid }, signal) => {
        await pay(paid);
        isPaid = true;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('shutting down'))),
        );
      },
    });
    await first.broker.publish(event);
    await until('it is paid', () => isPaid);
    await first.stage.stop();
    const second = await start({
      handle: async (received, { paid }) => {
        await pay(paid);
        return [callTranscribed(received)];
      },
    });
    await until('the second process is done', () => second.outcomes().includes('done'));
    expect(asked.times).toBe(1);
  });

  it.each([
    ['when its part fails', new PermanentError('PROVIDER_REFUSED'), ['retried', 'handed_on']],
    ['when another process had published meanwhile', null, ['retried', 'already_done']],
  ])('is gone %s', async (_name, failure, expected) => {
    const { pay } = provider();
    const event = callEnded();
    const { broker, outcomes } = await start({
      handle: async (received, { paid }) => {
        await pay(paid);
        if (received.attempt === 1 && failure === null) await broker.publish(callTranscribed(received));
        if (received.attempt === 1 || failure === null) return busy();
        throw failure;
      },
    });
    await broker.publish(event);
    await until('it is settled for good', () => outcomes().length === 2);
    expect(outcomes()).toEqual(expected);
    expect(await heldEntries()).toBe(0);
  });

  it('is of its stage and revision alone', async () => {
    const store = createPaidStore(rig.operator, rig.log);
    const key = { stage: 'transcriber', callSid: callEnded().callSid, revision: 1 };
    await store.keep(key, new Map([['first', 'words']]));
    expect([...(await store.recall(key))]).toEqual([['first', 'words']]);
    expect((await store.recall({ ...key, revision: 2 })).size).toBe(0);
    expect((await store.recall({ ...key, stage: 'summarizer' })).size).toBe(0);
  });

  it('costs nothing where nothing fails: no entry, no question', async () => {
    const { pay } = provider();
    const { broker, outcomes } = await start({
      handle: async (received, { paid }) => {
        await pay(paid);
        return [callTranscribed(received)];
      },
    });
    await broker.publish(callEnded());
    await until('it is done', () => outcomes().includes('done'));
    expect(await rig.count('KV_PAID')).toBe(0);
  });
});

describe('a bucket that does not take what was paid', () => {
  const warnings = () => rig.log.lines.filter(({ message }) => message.startsWith('what was paid could not be kept'));

  it.each([
    ['because it is full', 'words', 100],
    ['because one message cannot hold it', 'x'.repeat(600_000), 64 * 1_048_576],
  ])('%s leaves it in the memory of this process, says so, and the work goes on', async (_name, words, maxBytes) => {
    await rig.operator.jsm.streams.update('KV_PAID', { max_bytes: maxBytes });
    const store = createPaidStore(rig.operator, rig.log);
    const key = { stage: 'transcriber', callSid: callEnded().callSid, revision: 1 };
    await store.keep(key, new Map([['first', words]]));
    expect((await store.recall(key)).get('first')).toBe(words);
    expect(warnings()).toHaveLength(1);
    await store.forget(key);
    expect((await store.recall(key)).size).toBe(0);
    expect(await heldEntries()).toBe(0);
  });

  it('because it is not there costs the answer again and no call', async () => {
    const store = createPaidStore(rig.operator, rig.log, { maxBytes: 0, lifetimeMs: 1_000 });
    const key = { stage: 'transcriber', callSid: callEnded().callSid, revision: 1 };
    await rig.operator.jsm.streams.delete('KV_PAID');
    await store.keep(key, new Map([['first', 'words']]));
    expect((await store.recall(key)).size).toBe(0);
    await store.forget(key);
  });

  it('and holds what is none of ours is read as empty', async () => {
    const store = createPaidStore(rig.operator, rig.log);
    const key = { stage: 'transcriber', callSid: callEnded().callSid, revision: 1 };
    for (const body of ['{"first":', '{"first":"words"}', '[["first"]]', '[[1,2]]']) {
      await rig.operator.js.publish(`$KV.PAID.transcriber.${key.callSid}.r1`, body);
      expect((await store.recall(key)).size, body).toBe(0);
    }
  });
});
