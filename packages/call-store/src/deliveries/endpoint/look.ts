import { earlier, LANES } from './due.ts';
import type { Endpoint, EndpointChange, Lane } from './endpoint.ts';

/** The oldest row that waits in each lane, null where none does; a lane that was not looked at is not there. */
export type Look = Readonly<Partial<Record<Lane, Date | null>>>;

/**
 * The lanes that were noted and that after a look nobody will look at before a later instant (null: not at all). Whoever did that looks
 * at them once more: a row that came between the look and its write found its lane noted already and wrote nothing (`noteWaiting`), so
 * no version tells of it. A row that comes after the write finds the lane as it is now, so the second look misses none.
 */
export type Raised = Look;

/**
 * What a look at the rows of an endpoint found to wait after `version` was read. A note of somebody else since then stands, and so does
 * what is known of a lane that was not looked at.
 */
export function noteLook(version: number, look: Look): EndpointChange<Raised> {
  return (endpoint, now) => {
    const isCurrent = endpoint.version === version;
    const found = (lane: Lane): Date | null => {
      const [known, seen] = [endpoint.waiting[lane], look[lane]];
      if (seen === undefined) return known;
      return isCurrent ? seen : earlier(known, seen);
    };
    const waiting = { first: found('first'), later: found('later'), test: found('test') };
    const isThrough = (['first', 'later'] as const).every((lane) => {
      const from = waiting[lane];
      return look[lane] !== undefined && (from === null || from > now);
    });
    const isDraining = endpoint.isDraining && !(isCurrent && isThrough);
    const isKnown =
      isAt(waiting.first, endpoint.waiting.first) &&
      isAt(waiting.later, endpoint.waiting.later) &&
      isAt(waiting.test, endpoint.waiting.test) &&
      isDraining === endpoint.isDraining;
    const answer = raisedFrom(endpoint.waiting, waiting, now);
    return { endpoint: isKnown ? endpoint : { ...endpoint, waiting, isDraining }, answer };
  };
}

function raisedFrom(before: Endpoint['waiting'], after: Endpoint['waiting'], now: Date): Raised {
  const raised: { [L in Lane]?: Date | null } = {};
  for (const lane of LANES) {
    const [known, next] = [before[lane], after[lane]];
    if (known !== null && (next === null || (next > known && next > now))) raised[lane] = next;
  }
  return raised;
}

function isAt(one: Date | null, other: Date | null): boolean {
  return one?.getTime() === other?.getTime();
}
