import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { OutboundEvent } from '@pipeline/contracts';
import { createClaimStore } from './claim-store.ts';
import { createDeadLetters } from './dead-letter.ts';
import { withDeadLetters, type DeadLetters, type LetterFacts, type LetterRange } from './dead-letters.ts';
import { callEnded, callTranscribed, newCallSid } from './fixtures/events.ts';
import { openRig, summarizer, transcriber, until, type Rig } from './fixtures/rig.ts';

const never = new AbortController().signal;
let server: RunningNats;
let rig: Rig;

beforeAll(async () => void (server = await startNats()));
afterAll(() => server.stop());
beforeEach(async () => {
  rig = await openRig(server.url);
  await rig.provision();
});
afterEach(() => rig.close());

function withLetters<T>(work: (letters: DeadLetters) => Promise<T>): Promise<T> {
  return withDeadLetters({ config: rig.config, identity: 'callctl', instance: 'test/1', logger: rig.log }, work);
}

async function list(range: LetterRange = {}): Promise<LetterFacts[]> {
  return withLetters(async (letters) => {
    const found: LetterFacts[] = [];
    for await (const letter of letters.list(range, never)) found.push(letter);
    return found;
  });
}

/** Publishes an event and sets it aside, as the runner of an older version did that could not read it. */
async function setAside(event: OutboundEvent, stream: string, stage: string): Promise<void> {
  const broker = await rig.connect();
  await broker.publish(event);
  const consumer = await rig.operator.js.consumers.get(stream, stage);
  const message = await consumer.next({ expires: 10_000 });
  if (message === null) throw new Error('nothing came');
  const write = createDeadLetters(rig.operator, createClaimStore(rig.operator));
  await write(message, stage, { kind: 'dead', code: 'INVALID_EVENT', reason: 'data.call: too_new' });
  message.term();
  await rig.nc.flush();
}

it('what a runner set aside is listed with who, why and from where, and what is no event to this version either is not replayed', async () => {
  const broker = await rig.connect();
  const callSid = newCallSid();
  const subject = `call.ended.biz_1.${callSid}`;
  await rig.operator.js.publish(subject, '{"no":"event"');
  const stage = await broker.startStage(transcriber(rig));
  await until('it is set aside', async () => (await rig.count('CALL_DEAD')) === 1);
  await stage.stop();
  const [letter] = await list();
  expect(letter).toMatchObject({
    seq: 1,
    businessId: 'biz_1',
    callSid,
    code: 'NOT_JSON',
    stage: 'transcriber',
    subject,
  });
  await withLetters(async (letters) => {
    const open = await letters.open(1);
    if (open === null) throw new Error('it is gone');
    expect(Buffer.from(open.body).toString()).toBe('{"no":"event"');
    expect(open.reading).toMatchObject({ kind: 'refused', code: 'NOT_JSON' });
    await expect(letters.replay(open)).rejects.toThrow(TypeError);
    expect([await letters.remove(1), await letters.remove(1)]).toEqual([true, false]);
  });
  expect(await rig.count('CALL_ENDED')).toBe(1);
});

it('a letter that is replayed reaches its stage with its bytes and headers once, however often it is asked for, and is gone then', async () => {
  const event = callEnded();
  await setAside(event, 'CALL_ENDED', 'transcriber');
  const [before] = await storedHeaders('CALL_ENDED');
  await withLetters(async (letters) => {
    const letter = await letters.open(1);
    if (letter === null) throw new Error('it is gone');
    expect(letter.reading).toEqual({ kind: 'event', event });
    await Promise.all([letters.replay(letter), letters.replay(letter).catch(() => undefined)]);
    await letters.replay(letter);
  });
  const messages = await storedHeaders('CALL_ENDED');
  expect(messages).toHaveLength(2);
  const { 'Nats-Msg-Id': id, ...rest } = messages[1] ?? {};
  expect(id).toBe(`${event.id}:replay1`);
  expect(rest).toEqual(Object.fromEntries(Object.entries(before ?? {}).filter(([name]) => !name.startsWith('Nats-'))));
  expect(await list()).toEqual([]);

  const broker = await rig.connect();
  const definition = transcriber(rig);
  const stage = await broker.startStage(definition);
  await until('it is worked', () => definition.metrics.settled.length === 1);
  expect(await broker.lastEvent('call.transcribed', event.businessId, event.callSid)).not.toBeNull();
  await stage.stop();
});

it('a letter whose large parts travel by reference arrives whole', async () => {
  const event = callTranscribed(callEnded(), 'א'.repeat(350_000));
  await setAside(event, 'CALL_TRANSCRIBED', 'summarizer');
  await withLetters(async (letters) => {
    const letter = await letters.open(1);
    if (letter === null) throw new Error('it is gone');
    await letters.replay(letter);
  });
  const broker = await rig.connect();
  const definition = summarizer(rig);
  const stage = await broker.startStage(definition);
  await until('it is worked', () => definition.seen.length === 1);
  expect(definition.seen[0]?.data.transcript).toEqual(event.data.transcript);
  await stage.stop();
});

it('letters are found by call, by time, and page by page, over gaps', async () => {
  const events = Array.from({ length: 6 }, () => callEnded());
  for (const event of events) await setAside(event, 'CALL_ENDED', 'transcriber');
  await withLetters((letters) => letters.remove(3));
  const seqs = async (range: LetterRange) => (await list(range)).map(({ seq }) => seq);
  expect(await seqs({})).toEqual([1, 2, 4, 5, 6]);
  expect(await seqs({ after: 2, upTo: 5 })).toEqual([4, 5]);
  expect(await seqs({ callSid: events[4]?.callSid ?? '' })).toEqual([5]);
  const [, , fourth] = await list();
  expect(await seqs({ since: fourth?.storedAt ?? 0 })).toEqual([4, 5, 6]);
  expect(await seqs({ since: Date.now() + 3_600_000 })).toEqual([]);
  expect(await withLetters((letters) => letters.lastSeq())).toBe(6);
});

/** The headers of all messages of a stream, without those that the server makes. */
async function storedHeaders(stream: string): Promise<Record<string, string>[]> {
  const { state } = await rig.operator.jsm.streams.info(stream);
  const found: Record<string, string>[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const { header } = await rig.operator.jsm.streams.getMessage(stream, { seq });
    found.push(Object.fromEntries(header.keys().map((name) => [name, header.get(name)])));
  }
  return found;
}
