import { createExtractedCalls, type ExtractedCalls } from '@pipeline/e2e/notices';
import { setTimeout as wait } from 'node:timers/promises';
import { startSink, type Sink } from './sink.ts';
import { newDelivery, startSubject, type Subject } from './subject.ts';

export type IsolationResult = {
  readonly rounds: number;
  /** p99 of the healthy endpoints' lag in milliseconds, the median over rounds: alone, and beside those that hang and one that is dead. */
  readonly p99AloneMs: number;
  readonly p99BesideMs: number;
  /** Median over rounds of beside / (1.2 x alone + 5 ms): the bound is 1. */
  readonly ofBound: number;
};

export type IsolationSize = {
  readonly healthy: number;
  /** Endpoints that hang at the same time, beside one that is dead. */
  readonly hung: number;
  readonly perSecond: number;
  readonly seconds: number;
};

const ROUNDS = 5;
const HANG_MS = 15_000;
const LIMIT_MS = 120_000;
/** What waits for each sick endpoint when a round begins: more than it will ever be given a slot for. */
const BACKLOG = 100;
/** A port of this machine that nobody listens on. */
const DEAD_ORIGIN = 'http://127.0.0.1:9';
const never = new AbortController().signal;

/**
 * Notices of calls of healthy endpoints come at a steady rate, with and without hung endpoints and a dead one beside them, in alternating rounds of
 * one service. The lag is the time from the notice to the request at the receiver.
 */
export async function benchIsolation(
  size: IsolationSize,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<IsolationResult> {
  const sink = await startSink(HANG_MS);
  const subject = await startSubject(8, tell, signal);
  const calls = await createExtractedCalls(subject.stack);
  try {
    const healthy = Array.from({ length: size.healthy }, (_, n) => `bench_${n}`);
    for (const id of healthy) await subject.saveBusiness(id, `${sink.origin}/webhooks`);
    await subject.start({ WEBHOOK_DEV_ORIGINS: `${sink.origin},${DEAD_ORIGIN}` });
    const measure = async (): Promise<number> => p99(await lags(calls, sink, healthy, size));
    await measure();
    const rounds: { readonly alone: number; readonly beside: number }[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const alone = await measure();
      await makeSick(subject, sink, size.hung, round);
      const beside = await measure();
      tell(
        `round ${round}: p99 ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside ${size.hung} hung and a dead endpoint`,
      );
      rounds.push({ alone, beside });
      // What hangs is over before the next round is measured alone.
      if (round < ROUNDS) await wait(HANG_MS + 1_000);
    }
    return {
      rounds: ROUNDS,
      p99AloneMs: rounded(median(rounds.map(({ alone }) => alone))),
      p99BesideMs: rounded(median(rounds.map(({ beside }) => beside))),
      ofBound: rounded(median(rounds.map(({ alone, beside }) => beside / (1.2 * alone + 5)))),
    };
  } finally {
    await calls.close();
    await subject.stop();
    await sink.stop();
  }
}

/** Endpoints of this round with a backlog that is due now; each round has its own, whose breakers are still closed. */
async function makeSick(subject: Subject, sink: Sink, hung: number, round: number): Promise<void> {
  const hanging = Array.from({ length: hung }, (_, n) => [`bench_hung_${round}_${n}`, `${sink.origin}/hang`] as const);
  const sick = [...hanging, [`bench_dead_${round}`, `${DEAD_ORIGIN}/webhooks`] as const];
  for (const [id, url] of sick) {
    await subject.saveBusiness(id, url);
    const rows = Array.from({ length: BACKLOG }, () => newDelivery(id));
    await Promise.all(rows.map((row) => subject.deliveries.freeze(row, { kind: 'due' }, never)));
  }
}

/** The lag of each webhook of the healthy endpoints, in milliseconds. */
async function lags(
  calls: ExtractedCalls,
  sink: Sink,
  healthy: readonly string[],
  { perSecond, seconds }: IsolationSize,
): Promise<number[]> {
  const sent = new Map<string, number>();
  const adding: Promise<void>[] = [];
  const count = perSecond * seconds;
  const begun = performance.now();
  for (let place = 0; place < count; place += 1) {
    await wait(Math.max(0, begun + (place * 1_000) / perSecond - performance.now()));
    adding.push(add(calls, healthy[place % healthy.length] ?? '', sent));
  }
  await Promise.all(adding);
  const arrivals = await sink.collect((all) => all.filter(([id]) => sent.has(id)).length >= count, LIMIT_MS);
  return arrivals.flatMap(([id, at]) => {
    const from = sent.get(id);
    return from === undefined ? [] : [at - from];
  });
}

async function add(calls: ExtractedCalls, businessId: string, sent: Map<string, number>): Promise<void> {
  const { callSid, publishedAt } = await calls.add(businessId);
  sent.set(`msg_${callSid}_completed`, publishedAt);
}

function p99(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
