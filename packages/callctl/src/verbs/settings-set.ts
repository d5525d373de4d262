import {
  createSealedSettingsReader,
  createSettingsWriter,
  sealedSettingsSchema,
  type SealedSettings,
} from '@pipeline/call-store/settings-secrets';
import type { Store } from '@pipeline/call-store/settings';
import { urlPolicyOf } from '@pipeline/egress';
import { parseConfig } from '@pipeline/runtime';
import { egressSchema } from '../config.ts';
import { hasMask, MASK, restoreSecrets, standInForMasks } from '../secrets.ts';
import { checkSettings, parseSettingsText, problemLine, type Problem } from '../settings-file.ts';
import { CommandError, type Context, type Verb } from '../verb.ts';
import { checkAddresses } from '../webhook-url.ts';
import { withSealing } from '../with-store.ts';

/** What is to be stored, and since when nobody else may have stored anything. */
type Restored = { readonly settings: SealedSettings; readonly seen: Date | undefined };

/** Stores the settings of a business as a whole. */
export const settingsSet: Verb = {
  name: 'settings set',
  summary: 'store the settings of a business from a file (JSON or YAML, - for standard input), as a whole',
  arguments: ['<file>'],
  options: {},
  run: async (context) => {
    const parsed = parseSettingsText(await context.readInput(context.arguments[0] ?? '-'));
    if (!parsed.ok) throw refused(parsed.problems);
    // A file with a fault needs no database to be refused.
    const policy = urlPolicyOf(parseConfig(egressSchema, context.environment));
    const checked = checkSettings(standInForMasks(parsed.value), policy);
    if (!checked.ok) throw refused(checked.problems);
    const { id, inbound_webhook_url: url } = checked.settings;
    const addresses = await checkAddresses(url, policy, context.resolve, context.signal);
    if (addresses.kind === 'refused') throw refused([{ path: '$.inbound_webhook_url', message: addresses.message }]);
    const warnings = addresses.kind === 'fine' ? [] : [{ path: '$.inbound_webhook_url', message: addresses.message }];
    await withSealing(context, async (store, keys) => {
      const { settings, seen } = hasMask(parsed.value)
        ? await unmasked(store, parsed.value, id, context)
        : { settings: checked.settings, seen: undefined };
      await createSettingsWriter(store, keys).save(settings, context.signal, seen);
    });
    const lines = [`stored the settings of business ${id}`, ...warnings.map((line) => `warning: ${problemLine(line)}`)];
    return { json: { id, stored: true, warnings }, text: lines.join('\n') };
  },
};

/** Settings that `settings get` printed, with the stored secrets, sealed, in place of their masks. */
async function unmasked(store: Store, value: unknown, id: string, context: Context): Promise<Restored> {
  const stored = await createSealedSettingsReader(store).byId(id, context.signal);
  const restored = restoreSecrets(value, stored?.settings ?? null);
  if (hasMask(restored)) {
    throw new CommandError(`nothing is stored behind a ${MASK}, nothing was stored: write the real value in its place`);
  }
  return { settings: sealedSettingsSchema.parse(restored), seen: stored?.updatedAt };
}

function refused(problems: readonly Problem[]): CommandError {
  return new CommandError(
    `the settings are not valid, nothing was stored:\n${problems.map((problem) => `  ${problemLine(problem)}`).join('\n')}`,
  );
}
