import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyWebhook, type ArrivedWebhook, type VerifyVerdict } from '@pipeline/egress';
import { UsageError, type Context, type Verb } from '../verb.ts';
import { startLocalReceiver } from '../webhooks/local-receiver.ts';
import { writeSavedRequest } from '../webhooks/saved-request.ts';
import { heldSecrets, SECRET_OPTION } from '../webhooks/secret-option.ts';
import { verdictJson, verdictText } from '../webhooks/verdict-report.ts';

type Tally = { received: number; valid: number; readonly ids: Set<string> };

/** Receives webhooks on this machine, verifies and prints them until Ctrl-C. */
export const webhooksListen: Verb = {
  name: 'webhooks listen',
  summary: 'receive webhooks on this machine, verify each and print it, until Ctrl-C',
  arguments: [],
  options: {
    secret: SECRET_OPTION,
    port: {
      value: '<port>',
      summary: 'the port on 127.0.0.1; `npm start` lets webhooks go to this one',
      default: '8977',
    },
    answer: {
      value: '<status>',
      summary: 'what valid webhooks are answered with, to practise failures',
      default: '204',
    },
    count: { value: '<number>', summary: 'end after so many' },
    save: { value: '<folder>', summary: 'keep each request as a file that `webhooks verify` reads' },
  },
  run: async (context) => {
    const secrets = heldSecrets(context);
    const port = wholeNumber(context, 'port', 0, 65_535);
    const status = wholeNumber(context, 'answer', 200, 599);
    const limit = context.options['count'] === undefined ? Infinity : wholeNumber(context, 'count', 1, 1_000_000);
    const tally: Tally = { received: 0, valid: 0, ids: new Set() };
    const done = Promise.withResolvers<void>();
    const receiver = await startLocalReceiver(port, async (arrived) => {
      const nowMs = Date.now();
      const verdict = verifyWebhook(arrived, secrets, { nowMs });
      const seen = note(tally, verdict);
      const text = verdictText(arrived, verdict, { secrets, isTerminal: context.isTerminal, nowMs });
      context.emit({
        json: { ...verdictJson(arrived, verdict, secrets), attempt: arrived.headers['webhook-attempt'] ?? null, seen },
        text: seen ? `${text} (this id came before: a receiver ignores it)` : text,
      });
      await save(context, arrived, tally.received);
      if (tally.received >= limit) setImmediate(() => done.resolve());
      return verdict.ok ? status : 401;
    });
    context.progress(
      `listening on ${receiver.url}; set it as inbound_webhook_url, or lead a tunnel to it. Ctrl-C ends.`,
    );
    const stop = (): void => done.resolve();
    context.signal.addEventListener('abort', stop, { once: true });
    if (context.signal.aborted) stop();
    await done.promise;
    await receiver.close();
    context.progress(`${tally.received} received, ${tally.valid} valid, ${tally.ids.size} different`);
    return { json: undefined, text: '' };
  },
};

/** Counts a webhook; true when its id was valid before. */
function note(tally: Tally, verdict: VerifyVerdict): boolean {
  tally.received += 1;
  if (!verdict.ok) return false;
  tally.valid += 1;
  const seen = tally.ids.has(verdict.id);
  tally.ids.add(verdict.id);
  return seen;
}

async function save(context: Context, arrived: ArrivedWebhook, number: number): Promise<void> {
  const folder = context.options['save'];
  if (typeof folder !== 'string') return;
  const file = join(folder, `webhook-${String(number).padStart(4, '0')}.http`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, writeSavedRequest(arrived), { mode: 0o600 });
    context.progress(`saved ${file}`);
  } catch {
    context.progress(`cannot write ${file}`);
  }
}

function wholeNumber({ options }: Context, name: string, min: number, max: number): number {
  const typed = String(options[name]);
  const value = Number(typed);
  if (!/^\d{1,7}$/.test(typed) || value < min || value > max) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}`);
  }
  return value;
}
