import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { headers, type MsgHdrs } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  PermanentError,
  RetryLaterError,
  type CallEnded,
  type CallTranscribed,
  type FailureCode,
} from '@pipeline/contracts';
import type { Broker } from './broker.ts';
import { callEnded, callTranscribed, notTranscribed, transcribedOfSize } from './fixtures/events.ts';
import { openRig, QUICK, summarizer, transcriber, until, type Rig } from './fixtures/rig.ts';
import type { Stage } from './stage-definition.ts';

let server: RunningNats;
let rig: Rig;
let broker: Broker;
const stages: Stage[] = [];
beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url, { ACK_WAIT_MS: 600 });
  await rig.provision();
  broker = await rig.connect();
});
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.stop()));
  await rig.close();
});

/** Starts a transcriber and returns what it settled. */
async function start(change: Parameters<typeof transcriber>[1], by = broker) {
  const { metrics, ...definition } = transcriber(rig, change);
  const stage = await by.startStage({ ...definition, metrics });
  stages.push(stage);
  return { stage, metrics, outcomes: () => metrics.settled.map(({ outcome }) => outcome) };
}

const wideLines = () => rig.log.lines.filter(({ fields }) => fields['outcome'] !== undefined);

describe('dead letters', () => {
  const raw = (subject: string, body: string | Uint8Array, extra?: MsgHdrs) =>
    rig.operator.js.publish(subject, body, extra === undefined ? {} : { headers: extra });

  it('B43 B45 B47 what is no valid event is kept with its bytes and the reason, and the consumer goes on', async () => {
    const { businessId, callSid } = callEnded();
    const subject = `call.ended.${businessId}.${callSid}`;
    const bad: [string | Uint8Array, string][] = [
      ['{"type":"call.ended",', 'NOT_JSON'],
      [JSON.stringify({ ...callEnded(callSid), version: 2 }), 'UNKNOWN_VERSION'],
      [JSON.stringify({ ...callEnded(callSid), businessId: 'biz_2' }), 'SUBJECT_MISMATCH'],
      [new Uint8Array([0, 255, 254]), 'NOT_JSON'],
    ];
    const { outcomes } = await start({});
    for (const [index, [body, code]] of bad.entries()) {
      await raw(subject, body);
      await until('it is settled', () => outcomes().length === index + 1);
      const dead = await broker.lastDeadLetter(businessId, callSid);
      expect(dead?.body).toEqual(Buffer.from(body));
      expect(dead?.headers).toMatchObject({
        'Dead-Code': code,
        'Dead-Stage': 'transcriber',
        'Dead-Stream': 'CALL_ENDED',
        'Dead-Subject': subject,
        'Dead-Seq': String(index + 1),
        'Dead-Deliveries': '1',
        'Dead-Worker': 'test/1',
      });
    }
    const good = callEnded();
    await broker.publish(good);
    await until('the good one is settled', () => outcomes().length === bad.length + 1);
    expect(outcomes()).toEqual(['dead', 'dead', 'dead', 'dead', 'done']);
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 0, ackPending: 0 });
    expect(wideLines().filter(({ level }) => level === 'error')).toHaveLength(4);
    await until("the server's own advisories are kept", async () => (await rig.count('CALL_ADVISORIES')) === 4);
  });

  it('B49 hostile headers are kept under other names, bounded, and order the server nothing', async () => {
    const { businessId, callSid } = callEnded();
    const hostile = headers();
    hostile.append('X-Note', 'one');
    hostile.append('X-Note', 'two');
    for (let index = 0; index < 1_000; index += 1) hostile.append(`X-${index}`, 'y');
    const stored = await raw(`call.ended.${businessId}.${callSid}`, 'junk', hostile);
    const rollup = headers();
    rollup.set('Nats-Expected-Stream', 'CALL_ENDED');
    await raw(`call.ended.${businessId}.${callSid}`, 'junk too', rollup);
    const { outcomes } = await start({});
    await until('both are settled', () => outcomes().length === 2);
    expect(outcomes()).toEqual(['dead', 'dead']);
    const dead = await broker.lastDeadLetter(businessId, callSid);
    expect(dead?.headers['Original-Nats-Expected-Stream']).toBe('CALL_ENDED');
    const first = await rig.operator.jsm.streams.getMessage('CALL_DEAD', { seq: stored.seq });
    expect(first.header.values('X-Note')).toEqual(['one', 'two']);
    expect(Number(first.header.get('Dead-Headers-Dropped'))).toBe(1_002 - 128);
  });

  it('B49 a header name that no client accepts does not stop the consumer', async () => {
    const { businessId, callSid } = callEnded();
    const broken = { size: () => 1, encode: () => Buffer.from('NATS/1.0\r\nbad name: x\r\n\r\n') };
    rig.nc.publish(`call.ended.${businessId}.${callSid}`, 'junk', { headers: broken as unknown as MsgHdrs }); // past the client's own check
    await rig.nc.flush();
    const { outcomes } = await start({});
    await until('it is settled', () => outcomes().length === 1);
    expect(outcomes()).toEqual(['dead']);
  });

  it('B53 a body of the largest size is kept whole, in the object bucket', async () => {
    const { businessId, callSid } = callEnded();
    const body = Buffer.alloc(1_048_576 - 16, 'z');
    await raw(`call.ended.${businessId}.${callSid}`, body);
    const { outcomes } = await start({});
    await until('it is settled', () => outcomes().length === 1);
    expect(outcomes()).toEqual(['dead']);
    expect((await broker.lastDeadLetter(businessId, callSid))?.body.equals(body)).toBe(true);
  });

  it('a dead letter that a full stream refuses leaves no object behind', async () => {
    const { stage, outcomes } = await start({});
    await until('it is bound', () => stage.readiness().ok);
    await rig.operator.jsm.streams.update('CALL_DEAD', { max_bytes: 100 });
    const { businessId, callSid } = callEnded();
    await raw(`call.ended.${businessId}.${callSid}`, Buffer.alloc(1_048_576 - 16, 'z'));
    await until('it is settled', () => outcomes().length === 1);
    expect(outcomes()).toEqual(['retried']);
    expect((await rig.operator.jsm.streams.info('OBJ_CALL_EVENTS')).state.bytes).toBeLessThan(1_024);
  });

  it('B50 a subject with tokens that are not ours is buried too', async () => {
    await raw('call.ended.b!z.someone', '{}');
    const { outcomes } = await start({});
    await until('it is settled', () => outcomes().length === 1);
    expect((await broker.lastDeadLetter('unknown', 'unknown'))?.headers['Dead-Subject']).toBe('call.ended.b!z.someone');
  });

  it('a message is not terminated before its dead letter is stored', async () => {
    const { stage, outcomes } = await start({});
    await until('it is bound', () => stage.readiness().ok);
    await rig.operator.jsm.streams.delete('CALL_DEAD');
    const { businessId, callSid } = callEnded();
    await raw(`call.ended.${businessId}.${callSid}`, 'junk');
    await until('it is settled', () => outcomes().length === 1);
    expect(outcomes()).toEqual(['retried']);
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 0, ackPending: 1 });
  });
});

describe('two releases side by side', () => {
  it('a code that a newer release hands on is worked like any other, and goes on as it is', async () => {
    const older = callEnded();
    const newer = notTranscribed(older, { code: 'RECORDING_QUARANTINED' as FailureCode, state: 'failed' }); // of a later release
    const { metrics, ...definition } = summarizer(rig);
    stages.push(await broker.startStage({ ...definition, metrics }));
    await broker.publish(newer);
    await until('it is settled', () => metrics.settled.length === 1);
    expect(metrics.settled.map(({ outcome }) => outcome)).toEqual(['done']);
    const next = await broker.lastEvent('call.summarized', older.businessId, older.callSid);
    expect(next?.data.stages.transcriber?.code).toBe('RECORDING_QUARANTINED');
    expect(await rig.count('CALL_DEAD')).toBe(0);
  });
});

describe('failures of the work', () => {
  it('again: comes back with growing delays until it works, and is published once', async () => {
    const attempts: number[] = [];
    const { outcomes } = await start({
      handle: async (event) => {
        attempts.push(event.attempt);
        if (event.attempt < 4) throw new RetryLaterError('503');
        return [callTranscribed(event)];
      },
    });
    await broker.publish(callEnded());
    await until('it is done', () => outcomes().includes('done'));
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(outcomes()).toEqual(['retried', 'retried', 'retried', 'done']);
    const delays = wideLines().flatMap(({ fields }) => fields['retryAfterMs'] ?? []);
    expect(delays).toHaveLength(3);
    for (const [index, planned] of [20, 40, 80].entries()) {
      expect(Math.abs(Number(delays[index]) - planned)).toBeLessThanOrEqual(planned * 0.2 + 1);
    }
  });

  it('what a try cost that comes again, or came to nothing, stands in its wide line', async () => {
    const spent = { model: 'gpt-6-luna', usage: { requests: 1, inputTokens: 20 } };
    const { outcomes } = await start({
      handle: async (event) => {
        throw event.attempt < 2
          ? new RetryLaterError('503', { spent })
          : new PermanentError('PROVIDER_REFUSED', { spent });
      },
    });
    await broker.publish(callEnded());
    await until('it is settled', () => outcomes().includes('handed_on'));
    expect(wideLines().map(({ fields }) => fields)).toMatchObject([
      { outcome: 'retried', ...spent },
      { outcome: 'handed_on', ...spent },
    ]);
  });

  it('part failed: the call goes on without this part, with the code, and the message is done', async () => {
    const event = callEnded();
    const { outcomes } = await start({ handle: () => Promise.reject(new PermanentError('AUDIO_UNREADABLE')) });
    await broker.publish(event);
    await until('it is settled', () => outcomes().length === 1);
    const next = await broker.lastEvent('call.transcribed', event.businessId, event.callSid);
    expect(next?.data.transcript).toBeNull();
    expect(next?.data.stages.transcriber).toMatchObject({ state: 'failed', code: 'AUDIO_UNREADABLE' });
    expect(outcomes()).toEqual(['handed_on']);
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 0, ackPending: 0 });
  });

  it('a deadline that is long over still gives five attempts, and then hands on', async () => {
    const attempts: number[] = [];
    const event = callEnded();
    const { outcomes } = await start({
      timing: { ...QUICK, RETRY_BASE_MS: 5, PROVIDER_DEADLINE_MS: 0 },
      handle: (received) => {
        attempts.push(received.attempt);
        throw new RetryLaterError('503');
      },
    });
    await broker.publish(event);
    await until('it is handed on', () => outcomes().includes('handed_on'));
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    const next = await broker.lastEvent('call.transcribed', event.businessId, event.callSid);
    expect(next?.data.stages.transcriber?.code).toBe('PROVIDER_UNAVAILABLE');
  });

  it.each([
    ['an hour fast gives up nothing before its deadline', 3_600_000, 60_000, 'retried'],
    ['an hour slow gives up at the deadline', -3_600_000, 0, 'handed_on'],
  ])('B96 a worker whose clock is %s', async (_name, wrongBy, PROVIDER_DEADLINE_MS, fifth) => {
    const rightNow = Date.now.bind(Date);
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => rightNow() + wrongBy);
    const { outcomes } = await start({
      timing: { ...QUICK, RETRY_BASE_MS: 5, PROVIDER_DEADLINE_MS },
      handle: () => Promise.reject(new RetryLaterError('503')),
    });
    await broker.publish(callEnded());
    await until('five tries have failed', () => outcomes().length >= 5);
    clock.mockRestore();
    expect(outcomes().slice(0, 5)).toEqual(['retried', 'retried', 'retried', 'retried', fifth]);
  });

  it('an error of nobody becomes INTERNAL_ERROR at the deadline', async () => {
    const event = callEnded();
    const { outcomes } = await start({
      timing: { ...QUICK, RETRY_BASE_MS: 5, PROVIDER_DEADLINE_MS: 0 },
      handle: () => Promise.reject(new TypeError('undefined is not a function')),
    });
    await broker.publish(event);
    await until('it is handed on', () => outcomes().includes('handed_on'));
    const next = await broker.lastEvent('call.transcribed', event.businessId, event.callSid);
    expect(next?.data.stages.transcriber?.code).toBe('INTERNAL_ERROR');
  });

  it('a handOn that fails loses nothing: the message comes again', async () => {
    let tries = 0;
    const { outcomes } = await start({
      handle: () => Promise.reject(new PermanentError('NO_SPEECH')),
      handOn: async (event, failure) => {
        tries += 1;
        if (tries < 3) throw new PermanentError('INTERNAL_ERROR');
        return [notTranscribed(event, failure)];
      },
    });
    await broker.publish(callEnded());
    await until('it is handed on', () => outcomes().includes('handed_on'));
    expect(outcomes()).toEqual(['retried', 'retried', 'handed_on']);
  });

  it('nothing is acknowledged before the next stream has it', async () => {
    const { stage, outcomes } = await start({ timing: { ...QUICK, SHUTDOWN_GRACE_MS: 50 } });
    await until('it is bound', () => stage.readiness().ok);
    await rig.operator.jsm.streams.update('CALL_TRANSCRIBED', { max_bytes: 100 });
    await broker.publish(callEnded());
    const refused = () => rig.log.lines.some(({ message }) => message.startsWith('not published yet'));
    await until('the next event was refused', refused);
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 0, ackPending: 1 });
    await stage.stop();
    expect(outcomes()).not.toContain('done');
    await rig.provision();
    const successor = await start({});
    await until('another one finishes it', () => successor.outcomes().includes('done'));
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(1);
  });

  const negative = (ended: CallEnded): CallTranscribed => {
    const event = callTranscribed(ended);
    const segments = [{ speaker: 'caller' as const, text: 'canary', startMs: -1, endMs: 9 }];
    return { ...event, data: { ...event.data, transcript: { text: 'canary', language: 'he', segments } } };
  };

  it('an event that its own schema refuses is never published: a failed part, and a line for the author without values', async () => {
    const event = callEnded();
    const { outcomes } = await start({ handle: async (received) => [negative(received)] });
    await broker.publish(event);
    await until('it is settled', () => outcomes().length === 1);
    expect(outcomes()).toEqual(['handed_on']);
    const next = await broker.lastEvent('call.transcribed', event.businessId, event.callSid);
    expect(next?.data.stages.transcriber).toMatchObject({ state: 'failed', code: 'OUTPUT_INVALID' });
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(1);
    const [line] = rig.log.lines.filter(({ level }) => level === 'error');
    expect(line?.fields).toMatchObject({
      stage: 'transcriber',
      callSid: event.callSid,
      reason: 'data.transcript.segments.0.startMs: too_small',
    });
    expect(JSON.stringify(line)).not.toContain('canary');
  });

  it('a handOn whose event is invalid too comes again until it is right, and nothing invalid is published', async () => {
    let tries = 0;
    const { outcomes } = await start({
      handle: async (received) => [negative(received)],
      handOn: async (received, failure) => {
        tries += 1;
        return [tries < 3 ? negative(received) : notTranscribed(received, failure)];
      },
    });
    await broker.publish(callEnded());
    await until('it is handed on', () => outcomes().includes('handed_on'));
    expect(outcomes()).toEqual(['retried', 'retried', 'handed_on']);
    expect(await rig.count('CALL_TRANSCRIBED')).toBe(1);
  });

  it('a result that is too large for an event is a failed part', async () => {
    const event = callEnded();
    const { outcomes } = await start({
      handle: async (received) => [transcribedOfSize(received, 13_000_000)],
    });
    await broker.publish(event);
    await until('it is settled', () => outcomes().length === 1);
    expect(outcomes()).toEqual(['handed_on']);
    const next = await broker.lastEvent('call.transcribed', event.businessId, event.callSid);
    expect(next?.data.stages.transcriber?.code).toBe('EVENT_TOO_LARGE');
  });
});

describe('a message that kills its worker', () => {
  it('after three deaths a copy is kept, the call goes on with WORKER_CRASHED, and no fourth worker dies', async () => {
    const event = callEnded();
    await broker.publish(event);
    let deaths = 0;
    let outcomes = (): string[] => [];
    while (!outcomes().includes('handed_on')) {
      const worker = await rig.connect();
      const death = Promise.withResolvers<void>();
      const started = await start(
        {
          handle: () => {
            deaths += 1;
            death.resolve();
            return new Promise(() => undefined);
          },
        },
        worker,
      );
      stages.pop();
      outcomes = started.outcomes;
      await Promise.race([death.promise, until('it is handed on', () => outcomes().length > 0)]);
      await worker.close();
    }
    expect(deaths).toBe(3);
    const next = await broker.lastEvent('call.transcribed', event.businessId, event.callSid);
    expect(next?.data.stages.transcriber?.code).toBe('WORKER_CRASHED');
    const dead = await broker.lastDeadLetter(event.businessId, event.callSid);
    expect(dead?.headers['Dead-Code']).toBe('WORKER_CRASHED');
    expect(JSON.parse(String(dead?.body))).toEqual(event);
    expect(await broker.consumerState('transcriber')).toEqual({ pending: 0, ackPending: 0 });
  });

  it('retries are no deaths, however many', async () => {
    const { outcomes } = await start({
      timing: { ...QUICK, RETRY_BASE_MS: 5 },
      handle: async (event) => {
        if (event.attempt < 8) throw new RetryLaterError('503', { deadline: 'none' });
        return [callTranscribed(event)];
      },
    });
    await broker.publish(callEnded());
    await until('it is done', () => outcomes().includes('done'));
    expect(outcomes().filter((outcome) => outcome === 'retried')).toHaveLength(7);
    expect(await rig.count('CALL_DEAD')).toBe(0);
  });
});

describe('a provider that rejects us', () => {
  it('pauses the stage: one message at a time is tried, readiness stays green, and the first success resumes', async () => {
    let isKeyRight = false;
    let inHand = 0;
    let most = 0;
    let calls = 0;
    const { stage, metrics, outcomes } = await start({
      timing: { ...QUICK, SLOTS: 4, PAUSE_PROBE_MS: 100 },
      handle: async (event) => {
        calls += 1;
        inHand += 1;
        most = metrics.pauses.length > 0 ? Math.max(most, inHand) : 0;
        await new Promise((resolve) => setImmediate(resolve));
        inHand -= 1;
        if (!isKeyRight) throw new RetryLaterError('401', { pause: 'credentials', deadline: 'none' });
        return [callTranscribed(event)];
      },
    });
    const events = Array.from({ length: 12 }, () => callEnded());
    await Promise.all(events.map((event) => broker.publish(event)));
    await until('it is paused and probed', () => calls >= 6);
    expect(metrics.pauses).toEqual(['credentials on']);
    expect(most).toBeLessThanOrEqual(1);
    expect(stage.readiness()).toEqual({ ok: true });
    isKeyRight = true;
    await until('all are done', () => outcomes().filter((outcome) => outcome === 'done').length === events.length);
    expect(metrics.pauses).toEqual(['credentials on', 'credentials off']);
    expect(await rig.count('CALL_DEAD')).toBe(0);
  });
});
