import { businessIdSchema, callSidSchema } from '@pipeline/contracts';
import { parseMoment } from '../since.ts';
import { UsageError, type Context } from '../verb.ts';
import type { Selection } from './call-sids.ts';
import { STARTS, type Start } from './event.ts';
import type { RerunOptions } from './rerun.ts';

/** What was asked for on the command line. */
export type Request = RerunOptions & {
  readonly selection: Selection;
  readonly perSecond: number;
  /** Only count and estimate. */
  readonly isRehearsal: boolean;
};

/** Reads the options of `reanalyze`. Throws a UsageError for what cannot be meant. */
export function readRequest(options: Context['options'], now: Date): Request {
  return {
    selection: selectionOf(options, now),
    from: startOf(options['from']),
    businessId: businessOf(options['business']),
    notify: options['notify'] === true,
    perSecond: numberOf('rate', options['rate'], { min: 0.01, max: 100 }),
    waitMs: numberOf('wait', options['wait'], { min: 1, max: 86_400 }) * 1_000,
    isRehearsal: options['dry-run'] === true,
  };
}

function selectionOf(options: Context['options'], now: Date): Selection {
  const { call, since, until } = options;
  if ((call === undefined) === (since === undefined)) throw new UsageError('either --call or --since is needed');
  if (call !== undefined) {
    const callSid = callSidSchema.safeParse(call);
    if (!callSid.success) throw new UsageError('--call takes CA and 32 lower-case hexadecimal digits');
    return { kind: 'one', callSid: callSid.data };
  }
  const from = parseMoment('since', String(since), now);
  const to = until === 'now' || until === undefined ? now : parseMoment('until', String(until), now);
  if (from > to) throw new UsageError('--since is after --until');
  return { kind: 'stored', from, to, businessId: businessOf(options['business']) };
}

function startOf(typed: unknown): Start {
  const start = STARTS.find((one) => one === typed);
  if (start === undefined) throw new UsageError(`--from takes ${STARTS.join(' or ')}`);
  return start;
}

function businessOf(typed: unknown): string | null {
  if (typed === undefined) return null;
  const businessId = businessIdSchema.safeParse(typed);
  if (!businessId.success) throw new UsageError('--business takes 1 to 64 letters, digits, _ or -');
  return businessId.data;
}

function numberOf(
  option: string,
  typed: unknown,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const number = /^\d{1,6}(\.\d{1,3})?$/.test(String(typed)) ? Number(typed) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`--${option} takes a number from ${min} to ${max}`);
}
