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
    const parsed = parseSettingsText(await context.readInput(context.arguments[0] ?? '-'));
    const checked = parsed.ok ? checkSettings(standInForMasks(parsed.value)) : parsed;
    if (!checked.ok) {
      const { problems } = checked;
      return { ok: false, json: { valid: false, problems }, text: problems.map(problemLine).join('\n') };
    }
    const { settings, warnings } = checked;
    const lines = warnings.map((warning) => `warning: ${problemLine(warning)}`);
    const text = [`the settings of business ${settings.id} are valid`, ...lines].join('\n');
    return { json: { valid: true, id: settings.id, problems: [], warnings }, text };
  },
};
