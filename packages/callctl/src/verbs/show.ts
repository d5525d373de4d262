import { createCallLogReader, type StoredCall } from '@pipeline/call-store/call-log';
import { createDeliveryStore, type DeliveryRow } from '@pipeline/call-store/deliveries';
import { callSidSchema } from '@pipeline/contracts';
import { reportJson, reportText } from '../call-report.ts';
import { CommandError, UsageError, type Context, type Result, type Verb } from '../verb.ts';
import { withStore } from '../with-store.ts';

/** Shows what is stored of a call, and its webhooks. */
export const show: Verb = {
  name: 'show',
  summary: 'show the CallLog of a call and the state of its webhooks',
  arguments: ['<callSid>'],
  options: { transcript: { summary: 'also what was said, word for word' } },
  run: async (context) => {
    const callSid = callSidSchema.safeParse(context.arguments[0]);
    if (!callSid.success) throw new UsageError('<callSid> is CA and 32 lower-case hexadecimal digits');
    const { signal } = context;
    return withStore(context, async (store) => {
      const found = await createCallLogReader(store).find(callSid.data, signal);
      const deliveries = await createDeliveryStore(store).listByCall(callSid.data, signal);
      return describe(callSid.data, found, deliveries, context);
    });
  },
};

function describe(callSid: string, found: StoredCall, deliveries: readonly DeliveryRow[], context: Context): Result {
  switch (found.kind) {
    case 'none':
      throw new CommandError(`nothing is stored for call ${callSid}: it is still being worked, or it never ended here`);
    case 'call': {
      const report = { callLog: found.callLog, deliveries, withTranscript: context.options['transcript'] === true };
      return { json: reportJson(report), text: reportText(report, context.isTerminal) };
    }
    case 'erased':
    case 'expired': {
      const why = found.kind === 'erased' ? 'was erased' : 'is past its retention';
      const rows = deliveries.map((row) => `webhook ${row.webhookId} to ${row.endpointId}: ${row.state}`);
      const text = [`call ${callSid} of business ${found.businessId} ${why} (revision ${found.revision})`, ...rows];
      return {
        json: { ...found, callSid, deliveries: deliveries.map(({ body: _body, ...row }) => row) },
        text: text.join('\n'),
      };
    }
  }
}
