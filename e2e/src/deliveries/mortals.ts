import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { serviceEnvironment } from '../stack/environment.ts';
import { startService, type ServiceLine } from '../stack/service-process.ts';
import type { Stack } from '../stack/stack.ts';

/** Where a webhook-dispatcher is killed: at a place in its code, or from outside whenever it comes. */
export const DEATHS = ['wd.after_row', 'wd.before_post', 'wd.after_send', 'wd.after_2xx', 'anywhere'] as const;
export type Death = (typeof DEATHS)[number];

export type Mortals = {
  /** How many died by each death so far. */
  readonly died: Readonly<Record<Death, number>>;
  /** What each process said it was about to send, as `<instance> <webhookId>`. */
  readonly sends: ReadonlySet<string>;
  /** Starts one more and waits for its end, which is its death. */
  dieOnce(death: Death): Promise<void>;
};

const ENTRY = fileURLToPath(new URL('../../../services/webhook-dispatcher/src/main.ts', import.meta.url));
/** A death takes the process at one of its first passages. */
const MAX_PASSAGES = 6;
const MAX_LIFE_MS = 2_500;
const GIVE_UP_MS = 60_000;

/** webhook-dispatchers that are real processes of the product and do not live long. */
export function createMortals({ surroundings }: Stack, variables: Readonly<Record<string, string>>): Mortals {
  const died = { 'wd.after_row': 0, 'wd.before_post': 0, 'wd.after_send': 0, 'wd.after_2xx': 0, anywhere: 0 };
  const sends = new Set<string>();
  let started = 0;

  const onLine = ({ instance, message, fields }: ServiceLine): void => {
    if (message.startsWith('[WEBHOOK] 📤')) sends.add(`${instance} ${String(fields['webhookId'])}`);
  };
  const startOne = (death: Death) => {
    started += 1;
    const passage = 1 + Math.floor(Math.random() * MAX_PASSAGES);
    const crash: Record<string, string> = death === 'anywhere' ? {} : { CRASH_AT: `${death}:${passage}` };
    return startService({
      service: 'webhook-dispatcher',
      instance: `mortal-${started}`,
      entry: ENTRY,
      environment: { ...serviceEnvironment('webhook-dispatcher', surroundings), ...variables, ...crash },
      onLine,
    });
  };
  return {
    died,
    sends,
    dieOnce: async (death) => {
      // One that died before its health port answered died all the same.
      const process = await startOne(death).catch(() => null);
      if (process !== null) {
        if (death === 'anywhere') {
          await wait(Math.random() * MAX_LIFE_MS);
          await process.kill();
        }
        const isStuck = wait(GIVE_UP_MS).then(() => true);
        if (await Promise.race([process.ended.then(() => false), isStuck])) {
          await process.kill();
          throw new Error(`no delivery passed ${death} within ${GIVE_UP_MS} ms`);
        }
      }
      died[death] += 1;
    },
  };
}
