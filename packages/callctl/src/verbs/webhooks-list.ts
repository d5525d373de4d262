import { createOperatorDeliveries } from '@pipeline/call-store/deliveries';
import { UsageError, type Verb } from '../verb.ts';
import { rowJson, rowLine } from '../webhooks/delivery-text.ts';
import { SEARCH_OPTIONS, searchOf } from '../webhooks/search-options.ts';
import { withStore } from '../with-store.ts';

const MAX_LIMIT = 1_000;

/** Lists deliveries, oldest first. */
export const webhooksList: Verb = {
  name: 'webhooks list',
  summary: 'list deliveries by state, business and time, oldest first',
  arguments: [],
  options: {
    ...SEARCH_OPTIONS,
    limit: { value: '<number>', summary: `show at most so many, up to ${MAX_LIMIT}`, default: '50' },
  },
  run: async (context) => {
    const search = searchOf(context, Date.now());
    const limit = Number(context.options['limit']);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
      throw new UsageError(`--limit takes a whole number from 1 to ${MAX_LIMIT}`);
    }
    return withStore(context, async (store) => {
      const deliveries = createOperatorDeliveries(store);
      const total = await deliveries.count(search, context.signal);
      const rows = await deliveries.search(search, { limit }, context.signal);
      const rest = total > rows.length ? [`and ${total - rows.length} more: --limit, or a shorter time`] : [];
      const lines = total === 0 ? ['no delivery fits'] : [...rows.map(rowLine), ...rest];
      return { json: { total, deliveries: rows.map(rowJson) }, text: lines.join('\n') };
    });
  },
};
