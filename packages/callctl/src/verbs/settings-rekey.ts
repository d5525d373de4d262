import { rekeySettings, type Rekeyed } from '@pipeline/call-store/settings-secrets';
import type { Verb } from '../verb.ts';
import { withSealing } from '../with-store.ts';

/** Seals all webhook secrets again with the first of the keys. */
export const settingsRekey: Verb = {
  name: 'settings rekey',
  summary: 'seal the webhook secrets of every business again with the first key of SETTINGS_KEYS; may be repeated',
  arguments: [],
  options: {},
  run: async (context) => {
    const done: Rekeyed[] = [];
    await withSealing(context, async (store, keys) => {
      for await (const one of rekeySettings(store, keys, context.signal)) {
        done.push(one);
        if (one.kind === 'failed') context.progress(`${one.businessId}: ${one.reason}`);
        else if (done.length % 100 === 0) context.progress(`${done.length} businesses looked at`);
      }
    });
    const count = (kind: Rekeyed['kind']): number => done.filter((one) => one.kind === kind).length;
    const counts = { sealed: count('sealed'), unchanged: count('unchanged'), failed: count('failed') };
    const ok = counts.failed === 0;
    const next = ok
      ? 'the other keys may be taken out of SETTINGS_KEYS'
      : 'keep the old keys: put the missing one back into SETTINGS_KEYS, and repeat';
    return {
      ok,
      json: { ...counts, failures: done.filter((one) => one.kind === 'failed') },
      text: `sealed again ${counts.sealed}, unchanged ${counts.unchanged}, failed ${counts.failed}: ${next}`,
    };
  },
};
