import type { Pages, WaitingRow } from './due-rows.ts';
import { LANES } from './endpoint/due.ts';
import type { Endpoint, EndpointChange, Lane } from './endpoint/endpoint.ts';
import { noteLook, type Raised } from './endpoint/look.ts';
import { takeSlots, type SlotRequest } from './endpoint/slots.ts';

/** Who takes rows, and how many at most: of all lanes, and of these the ones that were tried before. */
export type Taking = {
  readonly owner: string;
  readonly leaseMs: number;
  readonly limit: number;
  readonly later: number;
};

/** The ids of the rows that got a slot, and where somebody has to look again (see {@link Raised}). */
export type Granted = { readonly ids: readonly string[]; readonly raised: Raised };

/** Takes slots for those of the rows that are due `by` then, and notes what stays behind. `seen`: the endpoint before the rows were read. */
export function grant(seen: Endpoint, pages: Pages, by: Date, taking: Taking): EndpointChange<Granted> {
  const { owner, limit } = taking;
  const dueOf = (lane: Lane, count: number): WaitingRow[] =>
    (pages[lane] ?? []).filter((row) => row.nextAttemptAt <= by).slice(0, count);
  const test = dueOf('test', limit);
  const first = dueOf('first', limit - test.length);
  // Each lane in full: how they share what there is, the endpoint says.
  const later = dueOf('later', Math.min(taking.later, limit - test.length));
  const request = (lane: Lane, rows: readonly WaitingRow[]): SlotRequest => ({
    lane,
    ids: rows.map((row) => slotOf(owner, row._id)),
    leaseMs: taking.leaseMs,
  });
  const requests = [request('test', test), request('first', first), request('later', later)];
  const take = takeSlots(requests, { most: limit });
  return (endpoint, now) => {
    const taken = take(endpoint, now);
    const slots = new Set(taken.answer);
    const look: { [L in Lane]?: Date | null } = {};
    for (const lane of LANES) {
      const rows = pages[lane];
      const left = rows?.find((row) => !slots.has(slotOf(owner, row._id)));
      if (rows !== undefined) look[lane] = left?.nextAttemptAt ?? null;
    }
    const { endpoint: noted, answer: raised } = noteLook(seen.version, look)(taken.endpoint, now);
    const rows = [...test, ...first, ...later].filter((row) => slots.has(slotOf(owner, row._id)));
    return { endpoint: noted, answer: { ids: rows.map((row) => row._id), raised } };
  };
}

/** The slot that a row takes for one time that it is leased. */
export function slotOf(owner: string, rowId: string): string {
  return `${owner}/${rowId}`;
}
