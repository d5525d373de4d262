import type { DeliverySearch, DeliveryState } from '@pipeline/call-store/deliveries';
import { businessIdSchema } from '@pipeline/contracts';
import { WEBHOOK_EVENTS } from '@pipeline/contracts/webhook';
import { parseMoment } from '../since.ts';
import { UsageError, type Context, type VerbOption } from '../verb.ts';

const DEAD = ['exhausted', 'disabled', 'cancelled'] as const;
const EVERY: Readonly<Record<DeliveryState, true>> = {
  pending: true,
  delivering: true,
  delivered: true,
  exhausted: true,
  disabled: true,
  cancelled: true,
  no_endpoint: true,
};
const ALL = Object.keys(EVERY) as DeliveryState[]; // Object.keys loses the literal type

/** Words for several states at once. */
const GROUPS: Readonly<Record<string, readonly DeliveryState[]>> = {
  dead: DEAD,
  undelivered: ALL.filter((state) => state !== 'delivered'),
  all: ALL,
};

/** The options that say which deliveries are meant. */
export const SEARCH_OPTIONS = {
  business: { value: '<businessId>', summary: 'only of this business' },
  status: { value: '<state>', summary: `one of ${[...Object.keys(GROUPS), ...ALL].join(', ')}`, default: 'dead' },
  since: { value: '<time>', summary: 'events since then: 24h, 7d, a day or an instant' },
  until: { value: '<time>', summary: 'events before then' },
  event: { value: '<type>', summary: `only ${WEBHOOK_EVENTS.join(', ')}` },
} as const satisfies Record<string, VerbOption>;

/** What the options of {@link SEARCH_OPTIONS} ask for. Throws a UsageError for what they cannot mean. */
export function searchOf({ options }: Context, nowMs: number): DeliverySearch {
  const business = businessIdSchema.optional().safeParse(options['business']);
  if (!business.success) throw new UsageError('--business is 1 to 64 letters, digits, _ or -');
  const status = String(options['status']);
  const states = Object.hasOwn(GROUPS, status) ? GROUPS[status] : ALL.filter((state) => state === status);
  if (states === undefined || states.length === 0) throw new UsageError(`--status is ${SEARCH_OPTIONS.status.summary}`);
  const eventType = WEBHOOK_EVENTS.find((type) => type === options['event']);
  if (options['event'] !== undefined && eventType === undefined) {
    throw new UsageError(`--event is one of ${WEBHOOK_EVENTS.join(', ')}`);
  }
  const since = momentOf(options['since'], 'since', nowMs);
  const until = momentOf(options['until'], 'until', nowMs);
  return {
    states,
    ...(business.data === undefined ? {} : { businessId: business.data }),
    ...(eventType === undefined ? {} : { eventType }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  };
}

function momentOf(typed: string | boolean | undefined, option: string, nowMs: number): Date | null {
  return typeof typed === 'string' ? parseMoment(option, typed, new Date(nowMs)) : null;
}
