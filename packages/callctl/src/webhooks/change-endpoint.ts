import { createDeliveryStore, type Endpoint, type EndpointChange } from '@pipeline/call-store/deliveries';
import { createSettingsReader, type Store } from '@pipeline/call-store/settings';
import { businessIdSchema, type BusinessSettings } from '@pipeline/contracts';
import { CommandError, UsageError, type Context } from '../verb.ts';
import { withStore } from '../with-store.ts';

/** The id of a business as it was typed. */
export function businessIdOf(context: Context): string {
  const id = businessIdSchema.safeParse(context.arguments[0]);
  if (!id.success) throw new UsageError('<businessId> is 1 to 64 letters, digits, _ or -');
  return id.data;
}

/** The settings of a business that has a webhook URL; a CommandError that says what to do for one that has not. */
export async function settingsWithUrl(store: Store, id: string, signal: AbortSignal): Promise<BusinessSettings> {
  const settings = await createSettingsReader(store).byId(id, signal);
  if (settings === null) {
    throw new CommandError(`there are no settings for business ${id}; make them with: callctl settings set <file>`);
  }
  if (settings.inbound_webhook_url === null) {
    throw new CommandError(`business ${id} has no inbound_webhook_url: set one with callctl settings set <file>`);
  }
  return settings;
}

/** Changes the endpoint of a business by one atomic write, and reads it. */
export async function changeEndpoint<T>(
  context: Context,
  change: EndpointChange<T>,
): Promise<{ readonly id: string; readonly answer: T; readonly endpoint: Endpoint | null }> {
  const id = businessIdOf(context);
  return withStore(context, async (store) => {
    await settingsWithUrl(store, id, context.signal);
    const { endpoints } = createDeliveryStore(store);
    const answer = await endpoints.change(id, change, context.signal);
    return { id, answer, endpoint: await endpoints.find(id, context.signal) };
  });
}
