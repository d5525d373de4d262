import { createCallLogReader } from '@pipeline/call-store/call-log';
import { createSettingsReader, type Store } from '@pipeline/call-store/settings';
import { pricesWith, type PriceTable } from '@pipeline/contracts';
import { connectOperator, type BrokerConfig } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { analysisSchema } from '../config.ts';
import { callSidsOf, eachBounded } from '../reanalysis/call-sids.ts';
import { NOTHING, withCall } from '../reanalysis/estimate.ts';
import { readRequest, type Request } from '../reanalysis/request.ts';
import { createPace } from '../reanalysis/pace.ts';
import { estimateText, outcomeText } from '../reanalysis/report.ts';
import { candidateOf, rerun, type Outcome } from '../reanalysis/rerun.ts';
import type { Context, Result, Verb } from '../verb.ts';
import { withStore } from '../with-store.ts';

/** Calls that are on their way at the same time. Live calls share the stages with them. */
const IN_FLIGHT = 8;
/** Milliseconds that publishing one event may take. */
const PUBLISH_DEADLINE_MS = 15_000;

/** Sends stored calls through the stages again, with the settings of today, as their next revision. */
export const reanalyze: Verb = {
  name: 'reanalyze',
  summary:
    'work stored calls again with the settings of today, as their next revision, and show what came out otherwise',
  arguments: [],
  options: {
    call: { value: '<callSid>', summary: 'one call' },
    since: { value: '<when>', summary: 'calls stored since then: 24h, 7d, a day or an instant' },
    until: { value: '<when>', summary: 'and before then', default: 'now' },
    business: { value: '<businessId>', summary: 'only calls of this business' },
    from: {
      value: '<where>',
      summary: 'transcribed: summary and fields anew; summarized: fields alone',
      default: 'transcribed',
    },
    rate: { value: '<number>', summary: 'calls a second, at most', default: '2' },
    wait: { value: '<seconds>', summary: 'for the new revision of each call', default: '300' },
    notify: { summary: 'also send call.updated to businesses that opted in' },
    'dry-run': { summary: 'only count the calls and estimate what they cost; asks no provider, changes nothing' },
  },
  run: async (context) => {
    const request = readRequest(context.options, new Date());
    const config = parseConfig(analysisSchema, context.environment);
    return withStore(context, async (store) =>
      request.isRehearsal
        ? rehearse(request, store, pricesWith(config.MODEL_PRICES), context)
        : perform(request, store, config, context),
    );
  },
};

async function rehearse(request: Request, store: Store, prices: PriceTable, context: Context): Promise<Result> {
  const { signal } = context;
  const deps = { find: createCallLogReader(store).find, settings: createSettingsReader(store).byId };
  const skipped: Record<string, number> = {};
  let estimate = NOTHING;
  for await (const callSid of callSidsOf(request.selection, createCallLogReader(store), signal)) {
    const candidate = await candidateOf(callSid, request, deps, signal);
    if (candidate.kind === 'ready') estimate = withCall(estimate, candidate.callLog, request.from, prices);
    else skipped[candidate.why] = (skipped[candidate.why] ?? 0) + 1;
    if (estimate.calls % 1_000 === 999) context.progress(`${estimate.calls + 1} calls counted ...`);
  }
  const json = { dryRun: true, from: request.from, ...estimate, skipped, pricesAsOf: prices.asOf };
  return { json, text: estimateText(estimate, skipped) };
}

async function perform(request: Request, store: Store, config: BrokerConfig, context: Context): Promise<Result> {
  const { signal } = context;
  const who = { config, identity: 'callctl', instance: 'callctl', logger: context.logger } as const;
  const operator = await connectOperator(who);
  const reader = createCallLogReader(store);
  const deps = {
    find: reader.find,
    settings: createSettingsReader(store).byId,
    publish: (event: Parameters<typeof operator.publish>[0], stop: AbortSignal) =>
      operator.publish(event, { signal: AbortSignal.any([stop, AbortSignal.timeout(PUBLISH_DEADLINE_MS)]) }),
    pace: createPace(request.perSecond),
  };
  const outcomes: Outcome[] = [];
  const work = async (callSid: string, stop: AbortSignal): Promise<void> => {
    const outcome = await rerun(callSid, request, deps, stop);
    outcomes.push(outcome);
    context.progress(outcomeText(outcome, context.isTerminal));
  };
  try {
    await eachBounded(callSidsOf(request.selection, reader, signal), IN_FLIGHT, work, signal);
  } finally {
    await operator.close();
  }
  return resultOf(outcomes, request);
}

function resultOf(outcomes: readonly Outcome[], { from, notify }: Request): Result {
  const count = (kind: Outcome['kind']): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  const [stored, failed, waiting, skipped] = [count('stored'), count('failed'), count('waiting'), count('skipped')];
  const text = [
    `${stored} calls worked again, ${skipped} skipped`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(waiting === 0 ? [] : [`${waiting} not stored yet`]),
  ].join(', ');
  const json = { from, notify, stored, failed, skipped, waiting, calls: outcomes };
  return { ok: waiting === 0 && failed === 0, json, text };
}
