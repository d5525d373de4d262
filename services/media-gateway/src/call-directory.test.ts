import { afterEach, describe, expect, it } from 'vitest';
import { callRecordSchema, factsOf } from './call-record.ts';
import { CALL_SID, plan } from './testing/examples.ts';
import { createTestDirectory } from './testing/directory.ts';
import { createMemoryBucket, type MemoryBucket } from './testing/memory-bucket.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** Two processes of one public address. */
function pods(options: { now?: () => number; bucket?: MemoryBucket } = {}) {
  const bucket = options.bucket ?? createMemoryBucket();
  const [first, second] = [createTestDirectory({ ...options, bucket }), createTestDirectory({ ...options, bucket })];
  stops.push(first.presence.stop, second.presence.stop);
  return { a: first.directory, b: second.directory, idOfA: first.presence.id, bucket };
}

const tokenOf = async (issuing: Promise<string | null>): Promise<string> => {
  const token = await issuing;
  if (token === null) throw new Error('no token');
  return token;
};
const record = (bucket: MemoryBucket) =>
  callRecordSchema.parse(JSON.parse(bucket.entries.get(`call.${CALL_SID}`)?.json ?? 'null'));

describe('a token of the directory', () => {
  it('opens its own call once, in whichever process it comes', async () => {
    const { a, b } = pods();
    const token = await tokenOf(a.register(plan));
    expect(await b.openStream(`CA${'9'.repeat(32)}`, token)).toBeNull();
    expect(await b.openStream(CALL_SID, `${token}x`)).toBeNull();
    expect(await b.openStream(CALL_SID, '')).toBeNull();
    expect((await b.openStream(CALL_SID, token))?.setup.greeting).toBe(plan.greeting);
    expect([await a.openStream(CALL_SID, token), await b.openStream(CALL_SID, token)]).toEqual([null, null]);
  });

  it('opens one stream when twenty come at once in two processes', async () => {
    const { a, b } = pods({
      bucket: createMemoryBucket({ turn: () => new Promise((resolve) => setImmediate(resolve)) }),
    });
    const token = await tokenOf(a.register(plan));
    const opened = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? a : b).openStream(CALL_SID, token)),
    );
    expect(opened.filter((each) => each !== null)).toHaveLength(1);
  });

  it('is kept as a hash, and its number and words are gone when the call is published', async () => {
    const { a, bucket } = pods();
    const token = await tokenOf(a.register(plan));
    expect(JSON.stringify([...bucket.entries])).not.toContain(token);
    expect(JSON.stringify([...bucket.entries])).toContain(plan.from);
    await a.markPublished(CALL_SID);
    expect(record(bucket)).toEqual({ state: 'published' });
  });

  it('is too old after its time', async () => {
    let now = 0;
    const { a, b } = pods({ now: () => now });
    const token = await tokenOf(a.register(plan));
    now = 60_000 + 600_000; // by which clocks may differ
    expect(await b.openStream(CALL_SID, token)).toBeNull();
  });

  it('stays good when Twilio asks again, also another process, and all of the call are used up by one', async () => {
    const { a, b } = pods();
    const tokens = [
      await tokenOf(a.register(plan)),
      await tokenOf(a.renewToken(CALL_SID)),
      await tokenOf(b.renewToken(CALL_SID)),
    ];
    expect(await b.openStream(CALL_SID, tokens[0] ?? '')).not.toBeNull();
    for (const token of tokens) expect(await a.openStream(CALL_SID, token)).toBeNull();
    expect(await b.renewToken(CALL_SID)).toBeNull();
  });

  it('is void once the call is published', async () => {
    const { a, b } = pods();
    const token = await tokenOf(a.register(plan));
    await b.markPublished(CALL_SID);
    expect(await a.openStream(CALL_SID, token)).toBeNull();
    expect(await a.register(plan)).toBeNull();
  });
});

describe('why a call has ended', () => {
  it('is told by its owner alone, and changes nothing that was published', async () => {
    const { a, b, bucket } = pods();
    const token = await tokenOf(a.register(plan));
    await a.noteEnd(CALL_SID, 'drain');
    expect(await b.look(CALL_SID)).toMatchObject({ kind: 'answered' });
    await a.openStream(CALL_SID, token);
    await b.noteEnd(CALL_SID, 'completed');
    await a.noteEnd(CALL_SID, 'drain');
    expect(await b.look(CALL_SID)).toMatchObject({ kind: 'owned', record: { state: 'live', endedReason: 'drain' } });
    await a.markPublished(CALL_SID, 'drain');
    await a.noteEnd(CALL_SID, 'agent_lost');
    expect(record(bucket)).toEqual({ state: 'published', endedReason: 'drain' });
    bucket.isAway = true;
    await expect(a.noteEnd(CALL_SID, 'drain')).resolves.toBeUndefined();
  });
});

describe('the end of a call without a live transcript', () => {
  it('belongs to one process, however many ask', async () => {
    const { a, b } = pods({
      bucket: createMemoryBucket({ turn: () => new Promise((resolve) => setImmediate(resolve)) }),
    });
    await a.register(plan);
    const claims = await Promise.all([a, b, a, b].map((each) => each.claimEnd(CALL_SID, factsOf(plan))));
    expect([claims[0], claims[1]].filter(Boolean)).toHaveLength(1);
    expect([claims[2], claims[3]]).toEqual([claims[0], claims[1]]);
  });

  it('belongs to nobody else while a process has the media stream, and a stream never opens after it', async () => {
    const { a, b } = pods();
    await b.openStream(CALL_SID, await tokenOf(a.register(plan)));
    expect(await a.claimEnd(CALL_SID, factsOf(plan))).toBe(false);
    expect(await b.claimEnd(CALL_SID, factsOf(plan))).toBe(true);
    const other = { ...plan, callSid: `CA${'9'.repeat(32)}` };
    const token = await tokenOf(a.register(other));
    expect(await b.claimEnd(other.callSid, factsOf(other))).toBe(true);
    expect(await a.openStream(other.callSid, token)).toBeNull();
  });

  it('is taken over once from the owner that is named', async () => {
    const { a, b, idOfA } = pods();
    await a.openStream(CALL_SID, await tokenOf(a.register(plan)));
    expect(await b.takeOver(CALL_SID, 'somebody')).toBe(false);
    expect(await b.takeOver(CALL_SID, idOfA)).toBe(true);
    expect(await b.takeOver(CALL_SID, idOfA)).toBe(false);
    expect(await a.claimEnd(CALL_SID, factsOf(plan))).toBe(false);
  });
});

describe('the directory while its bucket is away', () => {
  it('carries a call that was answered here, and tells the others when it is back', async () => {
    const { a, b, bucket, idOfA } = pods();
    bucket.isAway = true;
    const token = await tokenOf(a.register(plan));
    expect(await a.look(CALL_SID)).toEqual({ kind: 'away' });
    expect(await b.openStream(CALL_SID, token)).toBeNull();
    expect(await a.openStream(CALL_SID, token)).not.toBeNull();
    expect(await a.openStream(CALL_SID, token)).toBeNull();
    await expect(b.claimEnd(CALL_SID, factsOf(plan))).rejects.toThrow('cannot be asked');
    bucket.isAway = false;
    await expect.poll(async () => (await b.look(CALL_SID)).kind).toBe('owned');
    expect(record(bucket)).toMatchObject({ state: 'live', owner: idOfA });
  });

  it('lets a call that was answered here be opened elsewhere when it is back', async () => {
    const { a, b, bucket } = pods();
    bucket.isAway = true;
    const token = await tokenOf(a.register(plan));
    bucket.isAway = false;
    await expect.poll(async () => (await b.look(CALL_SID)).kind).toBe('answered');
    expect(await b.openStream(CALL_SID, token)).not.toBeNull();
  });

  it('never takes back what others wrote meanwhile', async () => {
    const { a, b, bucket } = pods();
    await a.register(plan);
    bucket.isAway = true;
    await tokenOf(a.renewToken(CALL_SID));
    bucket.isAway = false;
    await expect.poll(() => b.claimEnd(CALL_SID, factsOf(plan)).catch(() => false)).toBe(true);
    await b.markPublished(CALL_SID);
    await expect.poll(async () => (await a.look(CALL_SID)).kind).toBe('published');
    expect(record(bucket)).toEqual({ state: 'published' });
  });

  it('says that a call is published although the others could not be told yet, and tells them later', async () => {
    const { a, b, bucket } = pods();
    bucket.isAway = true;
    await a.markPublished(CALL_SID);
    expect(await a.look(CALL_SID)).toEqual({ kind: 'published' });
    expect(await b.look(CALL_SID)).toEqual({ kind: 'away' });
    bucket.isAway = false;
    await expect.poll(async () => (await b.look(CALL_SID)).kind).toBe('published');
  });
});
