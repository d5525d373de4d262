import { createSealedSettingsReader } from '@pipeline/call-store/settings-secrets';
import { businessIdSchema } from '@pipeline/contracts';
import { maskSecrets } from '../secrets.ts';
import { CommandError, UsageError, type Verb } from '../verb.ts';
import { withStore } from '../with-store.ts';

/** Prints the settings of a business, with its secrets masked. */
export const settingsGet: Verb = {
  name: 'settings get',
  summary: 'print the settings of a business, secrets masked; the output can be edited and set again',
  arguments: ['<businessId>'],
  options: {},
  run: async (context) => {
    const id = businessIdSchema.safeParse(context.arguments[0]);
    if (!id.success) throw new UsageError('<businessId> is 1 to 64 letters, digits, _ or -');
    const stored = await withStore(context, (store) => createSealedSettingsReader(store).byId(id.data, context.signal));
    if (stored === null)
      throw new CommandError(
        `there are no settings for business ${id.data}; make them with: callctl settings set <file>`,
      );
    const masked = maskSecrets(stored.settings);
    return { json: masked, text: JSON.stringify(masked, null, 2) };
  },
};
