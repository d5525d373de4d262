import { createSettingsReader, createSettingsWriter, type Store } from '@pipeline/call-store/settings';
import { businessIdSchema, type BusinessSettings } from '@pipeline/contracts';
import { hasMask, MASK, restoreSecrets } from '../secrets.ts';
import { checkSettings, parseSettingsText, problemLine, type Problem } from '../settings-file.ts';
import { CommandError, type Context, type Result, type Verb } from '../verb.ts';
import { withStore } from '../with-store.ts';

type Accepted = { readonly settings: BusinessSettings; readonly warnings: readonly Problem[] };

/** Stores the settings of a business as a whole. */
export const settingsSet: Verb = {
  name: 'settings set',
  summary: 'store the settings of a business from a file (JSON or YAML, - for standard input), as a whole',
  arguments: ['<file>'],
  options: {},
  run: async (context) => {
    const parsed = parseSettingsText(await context.readInput(context.arguments[0] ?? '-'));
    if (!parsed.ok) throw refused(parsed.problems);
    if (!hasMask(parsed.value)) {
      // A file with a fault needs no database to be refused.
      const checked = checkedSettings(parsed.value);
      return withStore(context, (store) => save(store, checked, context));
    }
    return withStore(context, async (store) => save(store, await unmasked(store, parsed.value, context), context));
  },
};

async function save(store: Store, { settings, warnings }: Accepted, context: Context): Promise<Result> {
  await createSettingsWriter(store).save(settings, context.signal);
  const lines = [
    `stored the settings of business ${settings.id}`,
    ...warnings.map((line) => `warning: ${problemLine(line)}`),
  ];
  return { json: { id: settings.id, stored: true, warnings }, text: lines.join('\n') };
}

/** Settings that `settings get` printed, with the stored secrets in place of their masks. */
async function unmasked(store: Store, value: unknown, context: Context): Promise<Accepted> {
  const id = businessIdSchema.safeParse(typeof value === 'object' && value !== null && 'id' in value ? value.id : null);
  const stored = id.success ? await createSettingsReader(store).byId(id.data, context.signal) : null;
  const restored = restoreSecrets(value, stored);
  if (!hasMask(restored)) return checkedSettings(restored);
  throw new CommandError(`nothing is stored behind a ${MASK}, nothing was stored: write the real value in its place`);
}

function checkedSettings(value: unknown): Accepted {
  const checked = checkSettings(value);
  if (!checked.ok) throw refused(checked.problems);
  return checked;
}

function refused(problems: readonly Problem[]): CommandError {
  return new CommandError(
    `the settings are not valid, nothing was stored:\n${problems.map((problem) => `  ${problemLine(problem)}`).join('\n')}`,
  );
}
