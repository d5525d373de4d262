import { refilled } from './bucket.ts';
import { shareOf } from './due.ts';
import type { Endpoint, Lane } from './endpoint.ts';

/** After so many first attempts in a row the next start is for what was tried before, where that waits: one in four. */
export const FIRSTS_IN_ROW = 3;

/** How many of each lane want to begin. A lane that did not ask is not there. */
export type Wanted = Readonly<Partial<Record<Lane, number>>>;

/** How many of each lane begin, and `firstsInRow` after that. */
export type Begun = Readonly<Record<Lane, number>> & { readonly firstsInRow: number };

/** What is free of an endpoint: for first attempts and retries together, and for each of them by its share of the slots. */
type Room = { readonly both: number; readonly first: number; readonly later: number };

/**
 * Who may begin now, of all at most `most`. Slots and rate go to first attempts and to what was tried before by turns, so that a backlog
 * of one does not hold up the other however scarce they are. Who begins without having seen the rows (a row that was just frozen) leaves
 * the last one to what was tried before when that waits and it is its turn.
 */
export function shareOut(endpoint: Endpoint, wanted: Wanted, most: number, now: Date): Begun {
  const test = Math.min(wanted.test ?? 0, most, testRoom(endpoint));
  const room = roomOf(endpoint, test, now);
  const begun = { test, first: 0, later: 0, firstsInRow: endpoint.firstsInRow };
  const isLaterWaiting = wanted.later === undefined && isDue(endpoint, 'later', now) && room.later > 0;
  // A probe is sent for its answer: whichever comes first does.
  const isLaterOwed = isLaterWaiting && endpoint.breaker === null;
  for (let left = Math.min(room.both, most - test); left > 0; left -= 1) {
    const isTurnOfLater = begun.firstsInRow >= FIRSTS_IN_ROW;
    const wants = (lane: 'first' | 'later') => begun[lane] < Math.min(wanted[lane] ?? 0, room[lane]);
    if (wants('later') && (isTurnOfLater || !wants('first'))) {
      begun.later += 1;
      begun.firstsInRow = 0;
    } else if (wants('first') && !(isTurnOfLater && isLaterOwed && left === 1)) {
      begun.first += 1;
      begun.firstsInRow = Math.min(FIRSTS_IN_ROW, begun.firstsInRow + 1);
    } else {
      break;
    }
  }
  return begun;
}

/** A person waits for the answer of a test: it needs a slot and nothing else, and one of them gets it beyond the cap. */
function testRoom({ leases, limits }: Endpoint): number {
  return Math.max(leases.some((lease) => lease.lane === 'test') ? 0 : 1, limits.maxInFlight - leases.length);
}

function roomOf(endpoint: Endpoint, tests: number, now: Date): Room {
  const { state, throttle, breaker, leases, limits } = endpoint;
  if (state !== 'active' || (throttle !== null && throttle.until > now)) return { both: 0, first: 0, later: 0 };
  if (breaker !== null) {
    const isProbed = leases.some((lease) => lease.isProbe);
    const both = breaker.openUntil <= now && !isProbed ? 1 : 0;
    return { both, first: both, later: both };
  }
  const of = (lane: 'first' | 'later') =>
    shareOf(lane, limits.maxInFlight) - leases.filter((lease) => lease.lane === lane).length;
  const free = limits.maxInFlight - leases.length - tests;
  return { both: Math.min(free, Math.floor(refilled(endpoint, now).tokens)), first: of('first'), later: of('later') };
}

function isDue({ waiting }: Endpoint, lane: Lane, now: Date): boolean {
  const from = waiting[lane];
  return from !== null && from <= now;
}
