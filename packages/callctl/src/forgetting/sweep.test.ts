import { RetryLaterError } from '@pipeline/contracts';
import { describe, expect, test } from 'vitest';
import { commandRoom } from './command-room.ts';
import { createWorkLook } from './in-work.ts';
import { sweep, type SweepDeps, type SweepRules } from './sweep.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2025-12-09T10:30:00Z');
const never = new AbortController().signal;
const RULES: SweepRules = { againMs: 8 * DAY_MS, limit: 500, forMs: 240_000, isRehearsal: false };
const sidOf = (n: number) => `CA${n.toString(16).padStart(32, '0')}`;

type Call = { readonly businessId: string; readonly endedAt: number; emptied: boolean };

/** Calls and tombstones that are only here, and a clock that moves by `tickMs` each time that it is read. */
function worldOf({
  keeps = { biz_1: 30 },
  tickMs = 0,
  random = 0,
  pending = (): number => 0,
}: {
  readonly keeps?: Readonly<Record<string, number>>;
  readonly tickMs?: number;
  /** Below 1. */
  readonly random?: number;
  /** Commands that extractor has not worked. */
  readonly pending?: () => number;
} = {}) {
  const calls = new Map<string, Call>();
  const tombstones: { callSid: string; erasedAt: Date }[] = [];
  const did: string[] = [];
  const [open, inWork] = [new Set<string>(), new Set<string>()];
  let now = NOW;
  const purged = (what: string) => async (callSids: readonly string[]) => {
    did.push(...callSids.map((callSid) => `${what} ${callSid}`));
    return { messages: 4 * callSids.length, bodies: callSids.length, attempts: 0 };
  };
  const deps: SweepDeps = {
    erasedSince: async ({ since, after, limit }) => {
      const behind = after === undefined ? 0 : tombstones.findIndex(({ callSid }) => callSid === after.callSid) + 1;
      return tombstones.filter(({ erasedAt }, at) => erasedAt >= since && at >= behind).slice(0, limit);
    },
    endedBefore: async ({ businessId, before, after, limit }) =>
      [...calls]
        .filter(([, call]) => !call.emptied && call.businessId === businessId && call.endedAt < before.getTime())
        .map(([callSid, { endedAt }]) => ({ callSid, endedAt: new Date(endedAt) }))
        .filter(({ callSid, endedAt }) => endedAt >= (after?.endedAt ?? 0) && after?.told.includes(callSid) !== true)
        .toSorted((one, other) => one.endedAt.getTime() - other.endedAt.getTime())
        .slice(0, limit),
    retentions: async () => Object.entries(keeps).map(([businessId, days]) => ({ businessId, days })),
    purge: { erased: purged('again'), retired: purged('retired') },
    openDeliveries: async (callSids) => new Set(callSids.filter((callSid) => open.has(callSid))),
    isInWork: async (_businessId, callSid) => inWork.has(callSid),
    commandRoom: async () => commandRoom({ pending: pending(), ackPending: 0 }, { bytes: 0, maxBytes: 0 }),
    askToEmpty: async (_businessId, callSid) => {
      did.push(`asked ${callSid}`);
      const call = calls.get(callSid);
      if (call !== undefined) call.emptied = true;
    },
    now: () => (now += tickMs) - tickMs,
    random: () => random,
    progress: () => undefined,
  };
  const add = (n: number, daysAgo: number, businessId = 'biz_1'): string => {
    calls.set(sidOf(n), { businessId, endedAt: NOW - daysAgo * DAY_MS, emptied: false });
    return sidOf(n);
  };
  return { deps, did, add, tombstones, open, inWork };
}

describe('retention', () => {
  test('takes what is past the days of its own business, oldest first, and asks for the CallLog last', async () => {
    const { deps, did, add } = worldOf({ keeps: { biz_1: 30, biz_2: 365 } });
    const [younger, older] = [add(1, 31), add(2, 40)];
    add(3, 29);
    add(4, 364, 'biz_2');
    const ofOther = add(5, 366, 'biz_2');
    const swept = await sweep(deps, RULES, never);
    expect(did).toEqual([
      `retired ${older}`,
      `retired ${younger}`,
      `asked ${older}`,
      `asked ${younger}`,
      `retired ${ofOther}`,
      `asked ${ofOther}`,
    ]);
    expect(swept.retention).toEqual({ due: 3, inWork: 0, emptied: 3, messages: 12, bodies: 3, attempts: 0 });
    expect((await sweep(deps, RULES, never)).retention, 'nothing is left').toMatchObject({ due: 0, emptied: 0 });
  });

  test('leaves what a stage or a receiver has still to do with, until a later run', async () => {
    const { deps, did, add, open, inWork } = worldOf();
    const [sending, working] = [add(1, 40), add(2, 39)];
    open.add(sending);
    inWork.add(working);
    const { retention } = await sweep(deps, RULES, never);
    expect({ did, retention }).toMatchObject({ did: [], retention: { due: 2, inWork: 2, emptied: 0 } });
    open.clear();
    inWork.clear();
    expect((await sweep(deps, RULES, never)).retention).toMatchObject({ due: 2, inWork: 0, emptied: 2 });
  });

  test("what waits stands in nobody's way: younger calls are emptied, however many older ones wait, also of one instant", async () => {
    const { deps, add, open } = worldOf();
    for (let n = 0; n < 700; n += 1) open.add(add(n, n < 300 ? 60 : 50));
    for (let n = 700; n < 760; n += 1) add(n, 40);
    expect((await sweep(deps, { ...RULES, limit: 100 }, never)).retention).toMatchObject({
      due: 760,
      inWork: 700,
      emptied: 60,
    });
  });

  test('takes no more of a business than its limit, and every business has its turn', async () => {
    const { deps, add } = worldOf({ keeps: { biz_1: 30, biz_2: 30 } });
    for (let n = 0; n < 300; n += 1) add(n, 40 + n);
    add(999, 40, 'biz_2');
    expect((await sweep(deps, { ...RULES, limit: 120 }, never)).retention).toMatchObject({ due: 121, emptied: 121 });
    expect((await sweep(deps, { ...RULES, limit: 1_000 }, never)).retention).toMatchObject({ due: 180 });
  });

  test('waits while extractor has many commands to work, so that a person who asks for one is not behind all of them', async () => {
    const asked: string[] = [];
    const { deps, add } = worldOf({ keeps: { biz_1: 30, biz_2: 30 }, pending: () => 400 + asked.length });
    for (let n = 0; n < 1_000; n += 1) add(n, 40, n % 2 === 0 ? 'biz_1' : 'biz_2');
    const counted: SweepDeps = {
      ...deps,
      askToEmpty: async (businessId, callSid, signal) => {
        asked.push(callSid);
        await deps.askToEmpty(businessId, callSid, signal);
      },
    };
    const first = await sweep(counted, RULES, never);
    expect(first).toMatchObject({ commands: 'backlog', isWhole: false, retention: { emptied: 600 } });
    asked.length = 0;
    expect(await sweep(counted, RULES, never), 'the next run goes on').toMatchObject({
      commands: 'room',
      isWhole: true,
      retention: { emptied: 400 },
    });
  });

  test('a business whose calls cannot be listed holds up nobody else, and is told', async () => {
    const { deps, did, add } = worldOf({ keeps: { biz_1: 30, biz_2: 30, biz_3: 30 } });
    const [first, , third] = [add(1, 40, 'biz_1'), add(2, 40, 'biz_2'), add(3, 40, 'biz_3')];
    const endedBefore: SweepDeps['endedBefore'] = async (range, signal) => {
      if (range.businessId === 'biz_2') throw new RetryLaterError('MongoDB did not do: list CallLogs');
      return deps.endedBefore(range, signal);
    };
    const swept = await sweep({ ...deps, endedBefore }, RULES, never);
    expect(swept.failed).toEqual([{ businessId: 'biz_2', reason: 'MongoDB did not do: list CallLogs' }]);
    expect(swept).toMatchObject({ isWhole: false, retention: { emptied: 2 } });
    expect(did.filter((one) => one.startsWith('asked'))).toEqual([`asked ${first}`, `asked ${third}`]);
  });

  test('what a business had before it failed is counted, and Ctrl-C is no failure of a business', async () => {
    const { deps, add } = worldOf();
    for (let n = 0; n < 60; n += 1) add(n, 40 + n);
    const stopping = new AbortController();
    const endedBefore: SweepDeps['endedBefore'] = async (range, signal) => {
      signal.throwIfAborted();
      if (range.after !== undefined) throw new Error('words of a driver');
      return deps.endedBefore(range, signal);
    };
    const swept = await sweep({ ...deps, endedBefore }, RULES, stopping.signal);
    expect(swept).toMatchObject({ retention: { emptied: 50 }, failed: [{ businessId: 'biz_1', reason: 'Error' }] });
    stopping.abort(new Error('stopped'));
    await expect(sweep({ ...deps, endedBefore }, RULES, stopping.signal)).rejects.toThrow('stopped');
  });

  test.each([
    [0, 'biz_1'],
    [0.34, 'biz_2'],
    [0.99, 'biz_3'],
  ])('begins at another business each run (%s), so that none is always the last', async (random, firstOne) => {
    const keeps = { biz_1: 30, biz_2: 30, biz_3: 30 };
    const { deps, add } = worldOf({ keeps, random });
    for (const businessId of Object.keys(keeps)) add(Number(businessId.slice(4)), 40, businessId);
    const told: string[] = [];
    await sweep({ ...deps, progress: (line) => void told.push(line) }, RULES, never);
    expect(told).toHaveLength(3);
    expect(told[0]).toContain(firstOne);
  });

  test('begins nothing when its time is over, says so, and the next run goes on', async () => {
    const { deps, add } = worldOf({ tickMs: 20_000 });
    for (let n = 0; n < 400; n += 1) add(n, 40);
    const first = await sweep(deps, RULES, never);
    expect(first.isWhole).toBe(false);
    expect(first.retention.emptied).toBeLessThan(400);
    let emptied = first.retention.emptied;
    for (let runs = 0; emptied < 400 && runs < 50; runs += 1)
      emptied += (await sweep(deps, RULES, never)).retention.emptied;
    expect(emptied).toBe(400);
  });
});

describe('an erased call', () => {
  test('is purged again while it is younger than the streams and a day, every one of however many', async () => {
    const { deps, did, tombstones } = worldOf();
    tombstones.push({ callSid: sidOf(1), erasedAt: new Date(NOW - 8 * DAY_MS - 1) });
    for (let n = 2; n < 1_300; n += 1) tombstones.push({ callSid: sidOf(n), erasedAt: new Date(NOW - 7 * DAY_MS + n) });
    const { again } = await sweep(deps, RULES, never);
    expect(again).toEqual({ calls: 1_298, messages: 4 * 1_298, bodies: 1_298, attempts: 0 });
    expect(new Set(did).size).toBe(1_298);
    expect(did).not.toContain(`again ${sidOf(1)}`);
  });
});

describe('when there are more tombstones than a run has time for', () => {
  const HOURS = 3_600_000;
  /** One tombstone an hour, and a run that has time for some of them; its clock moves with each look. */
  const runs = async (random: number) => {
    const world = worldOf({ tickMs: 10_000, random });
    for (let hour = 8 * 24; hour >= 1; hour -= 1)
      world.tombstones.push({ callSid: sidOf(hour), erasedAt: new Date(NOW - hour * HOURS + 60_000) });
    const callOld = world.add(9_999, 40);
    // Pages of one, so that time passes between them.
    const erasedSince: SweepDeps['erasedSince'] = (page, signal) =>
      world.deps.erasedSince({ ...page, limit: 1 }, signal);
    const swept = await sweep({ ...world.deps, erasedSince }, RULES, never);
    const again = world.did.filter((one) => one.startsWith('again')).map((one) => one.slice(6));
    return { swept, again, did: world.did, callOld };
  };

  test('the youngest come first, then some others each run, and retention has its time too', async () => {
    const seen = new Set<string>();
    for (const random of [0, 0.25, 0.5, 0.75]) {
      const { swept, again, did, callOld } = await runs(random);
      expect(again[0], 'of the last hour').toBe(sidOf(1));
      expect(did).toContain(`asked ${callOld}`);
      expect(swept.isWhole).toBe(false);
      for (const one of again) seen.add(one);
    }
    expect(seen.size, 'other ones each time').toBeGreaterThan(4);
  });
});

test('a rehearsal says what would be done and does nothing', async () => {
  const { deps, did, add, tombstones } = worldOf();
  add(1, 40);
  tombstones.push({ callSid: sidOf(2), erasedAt: new Date(NOW) });
  const swept = await sweep(deps, { ...RULES, isRehearsal: true }, never);
  expect(did).toEqual([]);
  expect(swept).toMatchObject({ again: { calls: 1, messages: 0 }, retention: { due: 1, emptied: 1, bodies: 0 } });
});

test('a call is in work while its last event, or a command about it, lies beyond what is settled', async () => {
  const asked: string[] = [];
  const last: Record<string, number> = { 'call.ended': 5, 'call.transcribed': 9 };
  const floors: Record<string, number> = { transcriber: 5, summarizer: 8 };
  const isInWork = createWorkLook({
    settledUpTo: async (name) => {
      asked.push(name);
      return floors[name] ?? 0;
    },
    lastMark: async (kind) => {
      const seq = last[kind];
      return seq === undefined ? null : { seq, revision: 1, storedAt: NOW };
    },
  });
  expect(await isInWork('biz_1', sidOf(1)), 'the summarizer has settled up to 8').toBe(true);
  last['call.transcribed'] = 8;
  expect(await isInWork('biz_1', sidOf(1))).toBe(false);
  last['call.erase'] = 1;
  expect(await isInWork('biz_1', sidOf(1)), 'extractor has a command').toBe(true);
  expect(asked.toSorted(), 'each asked once').toEqual([
    'extractor',
    'extractor-commands',
    'summarizer',
    'transcriber',
    'webhook-dispatcher',
  ]);
});
