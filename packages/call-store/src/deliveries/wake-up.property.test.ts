import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Pages, WaitingRow } from './due-rows.ts';
import { LANES, settleTimes } from './endpoint/due.ts';
import { newEndpoint, type Endpoint, type EndpointChange, type Lane } from './endpoint/endpoint.ts';
import { noteWaiting } from './endpoint/slots.ts';
import { grant } from './grant.ts';

const START = Date.parse('2025-12-09T10:30:00Z');
const LEASE_MS = 60_000;
/** Mostly the same, so that processes meet. */
const lane = fc.constantFrom<Lane>('first', 'first', 'first', 'later', 'test');
/** What processes do, and which of them does its next step: every one does its steps in order, between those of the others. */
const processes = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('insert' as const), lane }),
    fc.record({ kind: fc.constant('claim' as const), limit: fc.integer({ min: 0, max: 4 }) }),
  ),
  { minLength: 2, maxLength: 5 },
);
const turns = fc.array(fc.nat({ max: 4 }), { minLength: 5, maxLength: 30 });

it('a row is looked for in time, in whatever order processes insert, note, look and write', () => {
  fc.assert(
    fc.property(processes, turns, (beginnings, order) => {
      const world = createWorld();
      // One row is known from the start.
      for (const _step of inserting(world, 'first', 'row'));
      const running = beginnings.map((one, place) =>
        one.kind === 'insert'
          ? inserting(world, one.lane, `row-${place}`)
          : claiming(world, `owner-${place}`, one.limit),
      );
      for (const turn of order) running[turn % running.length]?.next();
      // Whoever has begun comes to its end, one after another.
      for (const one of running) while (one.next().done !== true);
      for (const row of world.rows.filter(({ isLeased }) => !isLeased)) {
        const noted = world.endpoint.waiting[row.lane];
        expect(noted).not.toBeNull();
        expect(noted?.getTime()).toBeLessThanOrEqual(world.now());
      }
    }),
    { numRuns: 3_000 },
  );
});

type Row = WaitingRow & { readonly lane: Lane; isLeased: boolean };
type World = ReturnType<typeof createWorld>;

/** The rows and the endpoint as the database has them; every step comes a millisecond after the one before. */
function createWorld() {
  let endpoint = newEndpoint('biz_1', new Date(START));
  let now = START;
  const rows: Row[] = [];
  return {
    rows,
    get endpoint() {
      return endpoint;
    },
    now: () => now,
    tick: () => new Date((now += 1)),
    change: <T>(change: EndpointChange<T>): T => {
      const before: Endpoint = settleTimes(endpoint, new Date(now));
      const after = change(before, new Date(now));
      if (after.endpoint !== endpoint) {
        endpoint = { ...settleTimes(after.endpoint, new Date(now)), version: endpoint.version + 1 };
      }
      return after.answer;
    },
  };
}

/** The row first, the note second, as `freeze` does. */
function* inserting(world: World, to: Lane, id: string): Generator<void, void> {
  world.rows.push({ _id: id, lane: to, nextAttemptAt: world.tick(), isLeased: false });
  yield;
  world.tick();
  world.change(noteWaiting(to, 'now'));
}

/** Endpoint, rows, write, rows once more, as `claimDue` does. */
function* claiming(world: World, owner: string, limit: number): Generator<void, void> {
  const seen = world.endpoint;
  const by = world.tick();
  yield;
  const pages: Pages = Object.fromEntries(LANES.map((one) => [one, oldestOf(world, one).slice(0, limit + 1)]));
  world.tick();
  yield;
  const { ids, raised } = world.change(grant(seen, pages, by, { owner, leaseMs: LEASE_MS, limit, later: limit }));
  for (const row of world.rows) if (ids.includes(row._id)) row.isLeased = true;
  world.tick();
  for (const one of LANES) {
    if (raised[one] === undefined) continue;
    yield;
    const [overlooked] = oldestOf(world, one);
    world.tick();
    yield;
    if (overlooked !== undefined) world.change(noteWaiting(one, overlooked.nextAttemptAt));
  }
}

function oldestOf({ rows }: World, of: Lane): Row[] {
  return rows.filter((row) => row.lane === of && !row.isLeased);
}
