import { createCallLogReader } from '@pipeline/call-store/call-log';
import { createForgettingDeliveries } from '@pipeline/call-store/deliveries';
import { createSettingsReader, type Store } from '@pipeline/call-store/settings';
import { COMMAND_CONSUMER } from '@pipeline/contracts';
import { connectOperator, type BrokerConfig, type ConnectionIdentity, type Operator } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { bothSchema } from '../config.ts';
import { commandFor } from '../forgetting/command.ts';
import { commandRoom } from '../forgetting/command-room.ts';
import { createWorkLook } from '../forgetting/in-work.ts';
import { publishCommand } from '../forgetting/publishing.ts';
import { createPurge } from '../forgetting/purge.ts';
import { sweep as sweepOnce, type SweepDeps, type SweepRules, type Swept } from '../forgetting/sweep.ts';
import { UsageError, type Context, type Result, type Verb } from '../verb.ts';
import { withStoreOf } from '../with-store.ts';

const HOUR_MS = 3_600_000;
/** Beyond the age of the streams: clocks, and an event that was published at the last moment. */
const OVERLAP_MS = 24 * HOUR_MS;

/** What erasures left behind and what retention ends, for a schedule. It runs as the identity `eraser`, which may do nothing else. */
export const sweep: Verb = {
  name: 'sweep',
  summary: 'purge again what erased calls left behind, and empty calls past the retention of their business',
  arguments: [],
  options: {
    limit: { value: '<number>', summary: 'calls of one business that are emptied at most, up to 1000', default: '500' },
    for: { value: '<seconds>', summary: 'begin nothing new after so long; the next run goes on', default: '240' },
    'dry-run': { summary: 'only say what would be purged and emptied' },
  },
  run: async (context) => {
    const { environment, options, signal } = context;
    const limit = wholeNumber(options, 'limit', 1_000);
    const seconds = wholeNumber(options, 'for', 9_999);
    const config = parseConfig(bothSchema, environment);
    const rules = {
      againMs: config.STREAM_MAX_AGE_HOURS * HOUR_MS + OVERLAP_MS,
      limit,
      forMs: seconds * 1_000,
      isRehearsal: options['dry-run'] === true,
    };
    const who = { config, identity: 'eraser', instance: 'sweep', logger: context.logger } as const;
    const operator = await connectOperator(who);
    try {
      const swept = await withStoreOf(config, (store) =>
        sweepOnce(depsOf(store, operator, who, context), rules, signal),
      );
      context.emit(resultOf(swept, rules));
      return { ok: swept.failed.length === 0, json: undefined, text: '' };
    } finally {
      await operator.close();
    }
  },
};

function depsOf(
  store: Store,
  operator: Operator,
  who: ConnectionIdentity & { readonly config: BrokerConfig },
  context: Context,
): SweepDeps {
  const { erasedSince, endedBefore } = createCallLogReader(store);
  return {
    erasedSince,
    endedBefore,
    retentions: createSettingsReader(store).retentions,
    purge: createPurge(who, store),
    openDeliveries: createForgettingDeliveries(store).open,
    isInWork: createWorkLook(operator),
    commandRoom: async () => {
      const fill = await operator.fillOf('call.erase');
      return commandRoom(await operator.consumerState(COMMAND_CONSUMER), fill ?? { bytes: 0, maxBytes: 0 });
    },
    askToEmpty: (businessId, callSid, signal) =>
      publishCommand(operator, commandFor({ callSid, businessId, requestedBy: 'sweep', because: 'retention' }), signal),
    now: Date.now,
    random: Math.random,
    progress: context.progress,
  };
}

const HELD: Readonly<Record<Exclude<Swept['commands'], 'room'>, string>> = {
  backlog: 'extractor has enough commands to work: look whether it does; the next run goes on',
  full: 'CALL_COMMANDS is half full, and the rest of it is for people who want to be forgotten: run callctl provision --trim; the next run goes on',
};

function resultOf({ again, retention, commands, failed, isWhole }: Swept, { isRehearsal }: SweepRules): Result {
  const did = isRehearsal ? 'would be ' : '';
  const lines = [
    `${again.calls} erased calls ${did}purged again: ${again.messages} messages, ${again.bodies} webhook bodies, ${again.attempts} attempts`,
    `${retention.emptied} calls past their retention ${did}emptied: ${retention.messages} messages, ${retention.bodies} webhook bodies, ${retention.attempts} attempts; ${retention.inWork} are still in work`,
    ...(commands === 'room' ? [] : [HELD[commands]]),
    ...failed.map(({ businessId, reason }) => `${businessId}: its retention is not ended, ${reason}`),
    ...(isWhole || commands !== 'room' || failed.length > 0
      ? []
      : ['the time was over before everything was seen; the next run goes on']),
  ];
  return {
    json: { event: 'swept', dryRun: isRehearsal, again, retention, commands, failed, isWhole },
    text: lines.join('\n'),
  };
}

function wholeNumber(options: Context['options'], name: string, most: number): number {
  const typed = String(options[name]);
  const value = Number(typed);
  if (!/^\d{1,5}$/.test(typed) || value < 1 || value > most) {
    throw new UsageError(`--${name} takes a whole number from 1 to ${most}`);
  }
  return value;
}
