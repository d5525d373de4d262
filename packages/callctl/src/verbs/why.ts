import { businessIdSchema, callSidSchema } from '@pipeline/contracts';
import { parseConfig } from '@pipeline/runtime';
import { bothSchema } from '../config.ts';
import { CommandError, UsageError, type Verb } from '../verb.ts';
import { rowJson } from '../webhooks/delivery-text.ts';
import type { CallFacts, StoreFacts } from '../why/facts.ts';
import { readStore, readStreams } from '../why/gather.ts';
import { timelineOf } from '../why/timeline.ts';
import { verdictOf } from '../why/verdict.ts';
import { withStoreOf } from '../with-store.ts';

/** Where a call is and why: its way through the stages, its document, its webhooks and every attempt. */
export const why: Verb = {
  name: 'why',
  summary: 'say where a call is and why: its way through the stages, its CallLog, its webhooks and every attempt',
  arguments: ['<callSid>'],
  options: { business: { value: '<businessId>', summary: 'its business, when nothing that is stored says it' } },
  run: async (context) => {
    const callSid = callSidSchema.safeParse(context.arguments[0]);
    if (!callSid.success) throw new UsageError('<callSid> is CA and 32 lower-case hexadecimal digits');
    const typed = businessIdSchema.optional().safeParse(context.options['business']);
    if (!typed.success) throw new UsageError('--business is 1 to 64 letters, digits, _ or -');
    const config = parseConfig(bothSchema, context.environment);
    const store = await withStoreOf(config, (opened) => readStore(opened, callSid.data, context.signal)).catch(
      (error: unknown): StoreFacts => {
        if (error instanceof CommandError) return { kind: 'unreadable', reason: error.message };
        throw error;
      },
    );
    const known = typed.data ?? businessOf(store);
    const { businessId, streams } = await readStreams(config, callSid.data, known, context);
    const facts: CallFacts = { callSid: callSid.data, businessId, streams, store };
    const verdict = verdictOf(facts);
    const of = businessId === null ? '' : ` of business ${businessId}`;
    const lines = [`call ${callSid.data}${of}`, verdict.words, '', ...timelineOf(facts, context.isTerminal)];
    return { ok: verdict.ok, json: { ...jsonOf(facts), verdict }, text: lines.join('\n') };
  },
};

function businessOf(store: StoreFacts): string | null {
  if (store.kind === 'unreadable') return null;
  const { call, deliveries } = store;
  if (call.kind === 'call') return call.callLog.businessId;
  if (call.kind !== 'none') return call.businessId;
  return deliveries[0]?.row.businessId ?? null;
}

/** Without what was said: states, times and codes only. */
function jsonOf({ store, ...rest }: CallFacts): object {
  if (store.kind === 'unreadable') return { ...rest, store };
  const { call } = store;
  const callLog =
    call.kind === 'call'
      ? {
          kind: call.kind,
          status: call.callLog.status,
          revision: call.callLog.revision,
          endedAt: call.callLog.endedAt,
          storedAt: call.callLog.stored_at,
          stages: call.callLog.stages,
        }
      : call;
  const deliveries = store.deliveries.map(({ row, attempts, endpoint }) => ({ ...rowJson(row), attempts, endpoint }));
  return { ...rest, store: { kind: 'read', callLog, deliveries } };
}
