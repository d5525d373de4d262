import type { Verb } from './verb.ts';
import { erase } from './verbs/erase.ts';
import { provision } from './verbs/provision.ts';
import { reanalyze } from './verbs/reanalyze.ts';
import { settingsGet } from './verbs/settings-get.ts';
import { settingsRekey } from './verbs/settings-rekey.ts';
import { settingsSet } from './verbs/settings-set.ts';
import { settingsValidate } from './verbs/settings-validate.ts';
import { show } from './verbs/show.ts';
import { webhooksListen } from './verbs/webhooks-listen.ts';
import { webhooksVerify } from './verbs/webhooks-verify.ts';

/** Every verb, in the order of `--help`. */
export const VERBS: readonly Verb[] = [
  settingsGet,
  settingsSet,
  settingsValidate,
  settingsRekey,
  show,
  reanalyze,
  webhooksListen,
  webhooksVerify,
  erase,
  provision,
];
