import type { Verb } from './verb.ts';
import { deadList } from './verbs/dead-list.ts';
import { deadRemove } from './verbs/dead-remove.ts';
import { deadReplay } from './verbs/dead-replay.ts';
import { deadShow } from './verbs/dead-show.ts';
import { erase } from './verbs/erase.ts';
import { provision } from './verbs/provision.ts';
import { reanalyze } from './verbs/reanalyze.ts';
import { settingsGet } from './verbs/settings-get.ts';
import { settingsRekey } from './verbs/settings-rekey.ts';
import { settingsSet } from './verbs/settings-set.ts';
import { settingsValidate } from './verbs/settings-validate.ts';
import { show } from './verbs/show.ts';
import { sweep } from './verbs/sweep.ts';
import { webhooksListen } from './verbs/webhooks-listen.ts';
import { webhooksVerify } from './verbs/webhooks-verify.ts';
import { webhooksList } from './verbs/webhooks-list.ts';
import { webhooksPause } from './verbs/webhooks-pause.ts';
import { webhooksReplay } from './verbs/webhooks-replay.ts';
import { webhooksResume } from './verbs/webhooks-resume.ts';
import { webhooksRotateSecret } from './verbs/webhooks-rotate-secret.ts';
import { webhooksShow } from './verbs/webhooks-show.ts';
import { webhooksTest } from './verbs/webhooks-test.ts';
import { watermarkReset } from './verbs/watermark-reset.ts';
import { watermarkSet } from './verbs/watermark-set.ts';
import { watermarkShow } from './verbs/watermark-show.ts';
import { why } from './verbs/why.ts';

/** Every verb, in the order of `--help`. */
export const VERBS: readonly Verb[] = [
  settingsGet,
  settingsSet,
  settingsValidate,
  settingsRekey,
  why,
  show,
  reanalyze,
  deadList,
  deadShow,
  deadReplay,
  deadRemove,
  webhooksTest,
  webhooksListen,
  webhooksVerify,
  webhooksList,
  webhooksShow,
  webhooksReplay,
  webhooksPause,
  webhooksResume,
  webhooksRotateSecret,
  watermarkShow,
  watermarkSet,
  watermarkReset,
  erase,
  sweep,
  provision,
];
