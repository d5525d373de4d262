import { urlPolicyOf } from '@pipeline/egress';
import { parseConfig } from '@pipeline/runtime';
import { egressSchema } from '../config.ts';
import { standInForMasks } from '../secrets.ts';
import { checkSettings, parseSettingsText, problemLine } from '../settings-file.ts';
import type { Verb } from '../verb.ts';

/** Checks a settings file without storing it. */
export const settingsValidate: Verb = {
  name: 'settings validate',
  summary: 'check a settings file (JSON or YAML, - for standard input) without storing it',
  arguments: ['<file>'],
  options: {},
  run: async (context) => {
    const policy = urlPolicyOf(parseConfig(egressSchema, context.environment));
    const parsed = parseSettingsText(await context.readInput(context.arguments[0] ?? '-'));
    const checked = parsed.ok ? checkSettings(standInForMasks(parsed.value), policy) : parsed;
    if (!checked.ok) {
      const { problems } = checked;
      return { ok: false, json: { valid: false, problems }, text: problems.map(problemLine).join('\n') };
    }
    const { id } = checked.settings;
    return { json: { valid: true, id, problems: [] }, text: `the settings of business ${id} are valid` };
  },
};
