import { RECONCILER_BUCKET, RECONCILER_MARK, reconcilerMarkSchema, type ReconcilerMark } from '@pipeline/contracts';
import { connectOperator, type KeyValue, type Operator } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { brokerSchema } from './config.ts';
import type { Context } from './verb.ts';

const DEADLINE_MS = 5_000;

/** Runs work on what the reconciler remembers, as callctl. */
export async function withMark<T>(
  context: Context,
  work: (marks: KeyValue<ReconcilerMark>, operator: Operator) => Promise<T>,
): Promise<T> {
  const config = parseConfig(brokerSchema, context.environment);
  const who = { config, identity: 'callctl', instance: 'callctl', logger: context.logger } as const;
  const operator = await connectOperator(who);
  try {
    const options = { bucket: RECONCILER_BUCKET, schema: reconcilerMarkSchema, deadlineMs: DEADLINE_MS };
    return await work(operator.openBucket(options), operator);
  } finally {
    await operator.close();
  }
}

/** The mark as it stands, for every verb that changes it shows what it changed. */
export async function readMark(marks: KeyValue<ReconcilerMark>): Promise<ReconcilerMark | null> {
  return (await marks.get(RECONCILER_MARK))?.value ?? null;
}

export function markText(mark: ReconcilerMark | null): string {
  if (mark === null) return 'no watermark: the next run of reconciler looks back LOOKBACK_MS (4 days by default)';
  const rest =
    mark.sweep === undefined
      ? ''
      : `; a list from ${mark.sweep.since} on is being worked by several runs since ${mark.sweep.begun}`;
  return `the next run of reconciler looks from ${mark.endedAt} on, less OVERLAP_MS${rest}`;
}
