import type { ReceivedWebhook } from '@pipeline/sandbox';
import type { Document } from 'mongodb';
import { eventually, type Stack } from './stack.ts';

const TOLD_MS = 5_000;

/** What one finished call left behind. */
export type ArrivedCall = {
  readonly callSid: string;
  /** The document as it is stored. */
  readonly callLog: Document;
  readonly webhook: ReceivedWebhook;
  readonly body: Readonly<Record<string, unknown>>;
};

/** Waits for the verified webhook of a call that has ended and reads its CallLog. */
export async function arrivedCall(stack: Stack, callSid: string, timeoutMs: number): Promise<ArrivedCall> {
  const arriving = stack.receiver.waitFor((one) => one.verified && callOf(one) === callSid, timeoutMs);
  const webhook = await arriving.catch((error: unknown) => {
    throw new Error(`the webhook of ${callSid} did not arrive; what was said of it:\n${lastWords(stack, callSid)}`, {
      cause: error,
    });
  });
  const callLog = await stack.records.callLog(callSid);
  if (callLog === null) throw new Error(`${callSid} has a webhook and no CallLog`);
  return { callSid, callLog, webhook, body: bodyOf(webhook) };
}

/**
 * Waits, a few seconds at most, until webhook-dispatcher has said that it delivered the call: the receiver has the webhook a
 * moment before the dispatcher has the receiver's answer, and a person wants to read them in order.
 */
export async function deliveryTold(stack: Stack, callSid: string): Promise<void> {
  const isTold = (): boolean =>
    stack.lines.some((line) => line.fields['callSid'] === callSid && line.message.startsWith('[WEBHOOK] ✅'));
  await eventually('the delivery is told', isTold, TOLD_MS).catch(() => undefined);
}

/** The last lines of the services about a call, and everything that went wrong. */
function lastWords(stack: Stack, callSid: string): string {
  const telling = stack.lines.filter(
    (line) => line.fields['callSid'] === callSid || line.level === 'warn' || line.level === 'error',
  );
  return telling
    .slice(-30)
    .map((line) => `${line.instance} ${line.level} ${line.message} ${JSON.stringify(line.fields)}`)
    .join('\n');
}

/** The parsed body of a webhook. */
export function bodyOf(webhook: ReceivedWebhook): Record<string, unknown> {
  return JSON.parse(webhook.rawBody.toString('utf8')) as Record<string, unknown>; // our own dispatcher sends objects
}

/** The call that a webhook is about, whoever sent it. */
export function callOf(webhook: ReceivedWebhook): unknown {
  try {
    return bodyOf(webhook)['call_id'];
  } catch {
    return undefined;
  }
}
