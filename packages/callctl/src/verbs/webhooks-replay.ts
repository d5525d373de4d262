import { setTimeout as delay } from 'node:timers/promises';
import {
  createDeliveryStore,
  createOperatorDeliveries,
  type DeliveryRow,
  type DeliverySearch,
  type OperatorDeliveries,
  type Replayed,
} from '@pipeline/call-store/deliveries';
import type { Store } from '@pipeline/call-store/settings';
import { UsageError, type Context, type Result, type Verb } from '../verb.ts';
import { rowLine } from '../webhooks/delivery-text.ts';
import { findDeliveries } from '../webhooks/find-deliveries.ts';
import { SEARCH_OPTIONS, searchOf } from '../webhooks/search-options.ts';
import { withStore } from '../with-store.ts';

const MAX_RATE = 1_000;
const PAGE = 100;
/** Rows between two lines of progress. */
const PROGRESS_EVERY = 100;

type Counts = Record<Replayed['kind'], number> & { held: number };

/** Sends webhooks again: the same id and bytes, signed anew. */
export const webhooksReplay: Verb = {
  name: 'webhooks replay',
  summary: 'send one webhook again, or all that fit: the same id and bytes, signed anew',
  arguments: ['[<id>]'],
  options: {
    ...SEARCH_OPTIONS,
    rate: {
      value: '<number>',
      summary: `so many a second, up to ${MAX_RATE}; Ctrl-C stops between two`,
      default: '10',
    },
    'dry-run': { summary: 'count what would be sent, and send nothing' },
  },
  run: async (context) => {
    const id = context.arguments[0];
    if (id !== undefined) return withStore(context, (store) => replayOne(store, id, context));
    const search = searchOf(context, Date.now());
    if (search.since === undefined) {
      throw new UsageError('give the id of one webhook, or say since when with --since (try it with --dry-run first)');
    }
    if (search.states.includes('delivering')) {
      throw new UsageError('--status must not include what is being sent: dead, delivered, pending, no_endpoint, ...');
    }
    const rate = Number(context.options['rate']);
    if (!(rate > 0) || rate > MAX_RATE) throw new UsageError(`--rate takes a number above 0, up to ${MAX_RATE}`);
    return withStore(context, (store) => replayMany(store, search, rate, context));
  },
};

async function replayOne(store: Store, id: string, context: Context): Promise<Result> {
  const rows = await findDeliveries(createDeliveryStore(store), id, context.signal);
  if (context.options['dry-run'] === true) {
    return { json: { wouldReplay: rows.length }, text: rows.map(rowLine).join('\n') };
  }
  const operator = createOperatorDeliveries(store);
  const counts = noCounts();
  for (const row of rows) note(counts, await operator.replay(row.id, 'any', context.signal));
  return report(counts, `see: callctl webhooks show ${id}`);
}

async function replayMany(store: Store, search: DeliverySearch, rate: number, context: Context): Promise<Result> {
  const operator = createOperatorDeliveries(store);
  // What becomes due again fits no more or is newer: the end is fixed before the first.
  const bounded = { ...search, until: search.until ?? new Date() };
  const total = await operator.count(bounded, context.signal);
  if (context.options['dry-run'] === true) {
    const seconds = Math.ceil(total / rate);
    const text = `${total} would be sent again, ${rate} a second, so about ${seconds} s. Leave out --dry-run to do it.`;
    return { json: { wouldReplay: total, seconds }, text };
  }
  const counts = noCounts();
  const begun = performance.now();
  let done = 0;
  for await (const row of eachRow(operator, bounded, context.signal)) {
    note(counts, await operator.replay(row.id, bounded.states, context.signal));
    done += 1;
    if (done % PROGRESS_EVERY === 0) context.progress(`${done} of ${total}`);
    const waitMs = begun + (done / rate) * 1_000 - performance.now();
    if (waitMs > 1) await delay(waitMs, undefined, { signal: context.signal }).catch(() => undefined);
    if (context.signal.aborted) break;
  }
  const rest = context.signal.aborted
    ? `stopped after ${done} of ${total}; the rest is as it was`
    : 'what failed again is listed by: callctl webhooks list --since 1h';
  return { ...report(counts, rest), ok: !context.signal.aborted && counts.no_body === 0 };
}

async function* eachRow(
  operator: OperatorDeliveries,
  search: DeliverySearch,
  signal: AbortSignal,
): AsyncGenerator<DeliveryRow> {
  for (let after: DeliveryRow | undefined; ;) {
    const page = await operator.search(search, { limit: PAGE, ...(after === undefined ? {} : { after }) }, signal);
    yield* page;
    after = page.at(-1);
    if (after === undefined || page.length < PAGE) return;
  }
}

function noCounts(): Counts {
  return { due: 0, in_work: 0, changed: 0, no_body: 0, unknown: 0, held: 0 };
}

function note(counts: Counts, replayed: Replayed): void {
  counts[replayed.kind] += 1;
  if (replayed.kind === 'due' && replayed.isHeld) counts.held += 1;
}

function report(counts: Counts, rest: string): Result {
  const parts = [
    `${counts.due} due now`,
    ...(counts.held === 0
      ? []
      : [
          `${counts.held} of them wait: nothing is sent to their endpoint at present (callctl webhooks show <id> says why)`,
        ]),
    ...(counts.in_work === 0 ? [] : [`${counts.in_work} left alone: being sent at this moment`]),
    ...(counts.changed === 0
      ? []
      : [`${counts.changed} left alone: delivered, or replayed by somebody else, meanwhile`]),
    ...(counts.no_body === 0
      ? []
      : [`${counts.no_body} cannot be sent: their bytes were removed by retention or an erasure`]),
  ];
  return { ok: counts.no_body === 0, json: counts, text: `${parts.join('; ')}. ${rest}` };
}
