import { createAddressPolicy, createEndpoint, createResolver, createUrlPolicy, signAttempt } from '@pipeline/egress';
import { Pool } from 'undici';
import { startSink, type Arrivals, type Sink } from './sink.ts';
import { BODY, newDelivery, SECRET, startSubject, type Subject } from './subject.ts';

export type ThroughputResult = {
  readonly perSecond: number;
  readonly perSecondWithStore: number;
  readonly barePerSecond: number;
  readonly ratio: number;
  readonly ratioWithStore: number;
};

export type ThroughputSize = { readonly deliveries: number; readonly inFlight: number };

const ROUNDS = 3;
const BUSINESSES = 8;
const LIMIT_MS = 120_000;
const never = new AbortController().signal;

/** The same number of webhooks three ways in alternating rounds: by a bare loop, through the guarded way out, and by the service. */
export async function benchThroughput(
  size: ThroughputSize,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<ThroughputResult> {
  const sink = await startSink();
  const subject = await startSubject(64, tell, signal);
  try {
    const businesses = Array.from({ length: BUSINESSES }, (_, n) => `bench_${n}`);
    for (const id of businesses) await subject.saveBusiness(id, `${sink.origin}/webhooks`);
    const rounds: { readonly bare: number; readonly signed: number; readonly stored: number }[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const bare = await bareLoop(sink, size);
      const signed = await guardedLoop(sink, size);
      const stored = await throughService(sink, subject, businesses, size);
      tell(`round ${round}: bare ${whole(bare)}/s, signed ${whole(signed)}/s, with the store ${whole(stored)}/s`);
      rounds.push({ bare, signed, stored });
    }
    return {
      perSecond: whole(median(rounds.map(({ signed }) => signed))),
      perSecondWithStore: whole(median(rounds.map(({ stored }) => stored))),
      barePerSecond: whole(median(rounds.map(({ bare }) => bare))),
      ratio: share(median(rounds.map(({ bare, signed }) => signed / bare))),
      ratioWithStore: share(median(rounds.map(({ bare, stored }) => stored / bare))),
    };
  } finally {
    await subject.stop();
    await sink.stop();
  }
}

/** `POST` after `POST` over open connections, and nothing else. */
async function bareLoop(sink: Sink, { deliveries, inFlight }: ThroughputSize): Promise<number> {
  const pool = new Pool(sink.origin, { connections: inFlight, pipelining: 1 });
  const post = async (): Promise<void> => {
    const { body } = await pool.request({ method: 'POST', path: '/webhooks', body: BODY });
    await body.dump();
  };
  await repeat(deliveries, inFlight, post);
  await pool.close();
  return rateOf(await sink.collect((all) => all.length >= deliveries, LIMIT_MS));
}

/** What an attempt does outside of the database: judge the URL, sign, send over a guarded connection, read the answer. */
async function guardedLoop(sink: Sink, { deliveries, inFlight }: ThroughputSize): Promise<number> {
  const endpoint = createEndpoint({
    policy: createUrlPolicy({
      addresses: createAddressPolicy({ denyCidrs: [], nat64: false }),
      allowedOrigins: [],
      devOrigins: [sink.origin],
    }),
    resolve: createResolver({ budgetMs: 5_000 }),
    connectTimeoutMs: 5_000,
    totalTimeoutMs: 15_000,
  });
  let sent = 0;
  const send = async (): Promise<void> => {
    const headers = signAttempt({ id: `msg_${(sent += 1)}`, body: BODY, secrets: [SECRET], nowMs: Date.now() });
    const request = { url: `${sink.origin}/webhooks`, body: BODY, headers: { ...headers } };
    const result = await endpoint.send(request, never);
    if (result.kind === 'failed' || result.status !== 204) throw new Error('a webhook of the loop was not delivered');
  };
  await repeat(deliveries, inFlight, send);
  endpoint.close();
  return rateOf(await sink.collect((all) => all.length >= deliveries, LIMIT_MS));
}

/** Rows that are due are there before the service starts: claimed, settings read, signed, sent, marked, logged. */
async function throughService(
  sink: Sink,
  subject: Subject,
  businesses: readonly string[],
  { deliveries, inFlight }: ThroughputSize,
): Promise<number> {
  let made = 0;
  await repeat(deliveries, 32, async () => {
    const row = newDelivery(businesses[(made += 1) % businesses.length] ?? '');
    await subject.deliveries.freeze(row, { kind: 'due' }, never);
  });
  await subject.start({
    WEBHOOK_DEV_ORIGINS: sink.origin,
    WEBHOOK_SLOTS: String(inFlight),
    WEBHOOK_ENDPOINT_SLOTS: '64',
    WEBHOOK_ENDPOINT_RATE: '10000',
  });
  const arrivals = await sink.collect((all) => new Set(all.map(([id]) => id)).size >= deliveries, LIMIT_MS);
  await subject.stopAll();
  return rateOf(arrivals);
}

async function repeat(times: number, atOnce: number, work: () => Promise<void>): Promise<void> {
  let left = times;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** From the first arrival to the last. */
function rateOf(arrivals: Arrivals): number {
  const times = arrivals.map(([, at]) => at);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return ((arrivals.length - 1) / Math.max(1, last - first)) * 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function whole(value: number): number {
  return Math.round(value);
}

function share(value: number): number {
  return Number(value.toFixed(3));
}
