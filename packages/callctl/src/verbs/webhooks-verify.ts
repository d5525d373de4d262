import { verifyWebhook } from '@pipeline/egress';
import { UsageError, type Verb } from '../verb.ts';
import { readSavedRequest } from '../webhooks/saved-request.ts';
import { heldSecrets, SECRET_OPTION } from '../webhooks/secret-option.ts';
import { verdictJson, verdictText } from '../webhooks/verdict-report.ts';

/** Says whether a saved request is a webhook of ours, and what is probably wrong when it is not. */
export const webhooksVerify: Verb = {
  name: 'webhooks verify',
  summary: 'verify a saved request (headers, an empty line, the body; - for standard input) as a receiver would',
  arguments: ['<file>'],
  options: {
    secret: SECRET_OPTION,
    body: { value: '<file>', summary: 'the body, when <file> holds the headers alone (lines, or one JSON object)' },
    'any-age': { summary: 'do not mind how long ago it was signed' },
    at: { value: '<instant>', summary: 'verify as if it were then, for example 2025-12-09T10:30:00Z' },
  },
  run: async (context) => {
    const secrets = heldSecrets(context);
    const nowMs = momentOf(context.options['at']);
    const file = await context.readBytes(context.arguments[0] ?? '-');
    const bodyPath = context.options['body'];
    const body = typeof bodyPath === 'string' ? await context.readBytes(bodyPath) : null;
    const arrived = readSavedRequest(file, body);
    const verdict = verifyWebhook(arrived, secrets, { nowMs, anyAge: context.options['any-age'] === true });
    return {
      ok: verdict.ok,
      json: verdictJson(arrived, verdict, secrets),
      text: verdictText(arrived, verdict, { secrets, isTerminal: context.isTerminal, nowMs }),
    };
  },
};

function momentOf(typed: string | boolean | undefined): number {
  if (typeof typed !== 'string') return Date.now();
  const ms = Date.parse(typed);
  if (!Number.isFinite(ms)) throw new UsageError('--at takes an instant such as 2025-12-09T10:30:00Z');
  return ms;
}
