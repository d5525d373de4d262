import { setTimeout as delay } from 'node:timers/promises';
import { provisionCallLog } from '@pipeline/call-store/call-log';
import { provisionDeliveries } from '@pipeline/call-store/deliveries';
import { connectStore, provisionSettings, type Store } from '@pipeline/call-store/settings';
import { BrokerError, provisionBroker, REREADABLE, type ProvisionOptions } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { bothSchema } from '../config.ts';
import { createProgressLogger } from '../progress-logger.ts';
import { reread } from '../reread.ts';
import { trim } from '../trim.ts';
import { CommandError, UsageError, type Context, type Verb } from '../verb.ts';

/** Milliseconds between two looks at a server that is not there. */
const RETRY_MS = 1_000;

/** Makes everything that services expect to find in the broker and the databases. */
export const provision: Verb = {
  name: 'provision',
  summary: 'make or update streams, consumers, buckets, collections and indexes; repeating it changes nothing',
  arguments: [],
  options: {
    wait: { value: '<seconds>', summary: 'how long to wait for servers that are not there', default: '60' },
    retire: { summary: 'also remove indexes that only older releases use: when none of their processes runs any more' },
    narrow: {
      summary: 'also shrink limits that are wider than configured: that removes what lies beyond them, worked or not',
    },
    reread: {
      value: '<consumer>',
      summary: `make nothing; after MongoDB was restored: let ${REREADABLE.join(', ')} look at its whole stream again`,
    },
    trim: { summary: 'make nothing; remove history from streams above 60 %: settled and older than a day' },
    'dry-run': { summary: 'with --trim: only say what would be removed' },
  },
  run: async (context) => {
    const narrow = context.options['narrow'] === true;
    if (narrow && context.options['trim'] === true) throw new UsageError('--narrow does not go with --trim');
    if (context.options['reread'] !== undefined) return reread(context);
    if (context.options['trim'] === true) return trim(context);
    if (context.options['dry-run'] === true) throw new UsageError('--dry-run goes with --trim');
    const seconds = Number(context.options['wait']);
    if (!/^\d{1,4}$/.test(String(context.options['wait'])))
      throw new UsageError('--wait takes whole seconds, up to 9999');
    const until = performance.now() + seconds * 1_000;
    const config = parseConfig(bothSchema, context.environment);
    const lines: string[] = [];
    const report = (line: string): void => {
      lines.push(line);
      context.progress(line);
    };

    // What its logger would say of a server that is away is told here, once.
    const store = await connectStore({ config, instance: 'provision', logger: createProgressLogger(() => {}) });
    try {
      await waitFor(`MongoDB at ${config.MONGO_URL}`, until, context, async () => reasonAgainst(store));
      const retire = context.options['retire'] === true;
      for (const line of await provisionSettings(store, context.signal)) report(line);
      for (const line of await provisionCallLog(store, context.signal)) report(line);
      for (const line of await provisionDeliveries(store, context.signal, { retire })) report(line);
    } finally {
      await store.close();
    }
    const ok = await provisionNats({ config, narrow }, until, context, report);
    if (!ok) report('the broker is not as expected: see above');
    return { ok, json: { ok, lines }, text: ok ? 'all is provisioned' : 'provisioning is not complete' };
  },
};

function reasonAgainst(store: Store): string | null {
  const state = store.readiness();
  return state.ok ? null : state.reason;
}

async function provisionNats(
  { config, narrow }: Pick<ProvisionOptions, 'config' | 'narrow'>,
  until: number,
  context: Context,
  report: (line: string) => void,
): Promise<boolean> {
  let ok = false;
  await waitFor(`NATS at ${config.NATS_URL}`, until, context, async () => {
    try {
      const done = await provisionBroker({
        config,
        ...(narrow === true ? { narrow } : {}),
        identity: 'provision',
        instance: 'provision',
        logger: context.logger,
      });
      for (const line of done.lines) report(line);
      ok = done.ok;
      return null;
    } catch (error) {
      if (error instanceof BrokerError) return error.message;
      throw error;
    }
  });
  return ok;
}

/** Tries until there is nothing against it, telling each new reason once. Throws a CommandError when the time is over. */
async function waitFor(
  what: string,
  until: number,
  context: Context,
  attempt: () => Promise<string | null>,
): Promise<void> {
  for (let last = ''; ;) {
    const reason = await attempt();
    if (reason === null) return;
    if (reason !== last) context.progress(`waiting for ${what}: ${reason}`);
    last = reason;
    if (performance.now() >= until)
      throw new CommandError(`${what} is not there. Start it, or wait longer with --wait <seconds>.`);
    await delay(RETRY_MS, undefined, { signal: context.signal });
  }
}
