import { STREAMS } from '@pipeline/contracts';
import { trimBroker, type TrimmedStream } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { brokerSchema } from './config.ts';
import type { Context, Result } from './verb.ts';

/**
 * `provision --trim`: room in streams that fill up. It needs NATS alone and makes nothing, so that a schedule may run it every few
 * minutes. `ok` is false for a stream that is nearly full and cannot be helped: its stage, or who should look at dead letters.
 */
export async function trim(context: Context): Promise<Result> {
  const config = parseConfig(brokerSchema, context.environment);
  const dryRun = context.options['dry-run'] === true;
  const who = { config, identity: 'provision', instance: 'provision', logger: context.logger } as const;
  const streams = await trimBroker({ ...who, dryRun });
  const ok = streams.every((found) => found.removed > 0 || fillOf(found) < ALARM_FILL);
  return { ok, json: { ok, dryRun, streams }, text: streams.map(sentence).join('\n') };
}

/** From here on a stream will soon refuse new work. */
const ALARM_FILL = 0.85;

function fillOf({ bytes, maxBytes }: TrimmedStream): number {
  return maxBytes > 0 ? bytes / maxBytes : 0;
}

function sentence(found: TrimmedStream): string {
  return `${found.stream}: ${Math.round(100 * fillOf(found))} % full, ${whatOf(found)}`;
}

function whatOf(found: TrimmedStream): string {
  const { outcome, removed } = found;
  switch (outcome) {
    case 'room':
      return 'left alone';
    case 'no_consumer':
      return 'left alone: its consumer is missing, run provision';
    case 'unsettled':
      return 'nothing may go: its oldest message is not settled yet';
    case 'kept':
      return found.stream === STREAMS['call.dead']
        ? `nothing may go: ${found.messages} dead letters wait for somebody (callctl dead list)`
        : 'nothing may go: it leaves by age. Raise STREAM_MAX_BYTES and run provision';
    case 'young':
      return 'nothing may go: what is settled is younger than a day';
    case 'trimmed':
      return `${removed} settled messages removed`;
    case 'would_trim':
      return `up to ${removed} settled messages would be removed`;
  }
}
