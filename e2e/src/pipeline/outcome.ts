import { transcriptLines } from '@pipeline/contracts';
import type { Dialogue, PlacedCall } from '@pipeline/sandbox';
import type { Document } from 'mongodb';
import { expect } from 'vitest';
import { arrivedCall, callOf, type ArrivedCall } from '../stack/arrived.ts';
import { eventually, type Stack } from '../stack/stack.ts';

const ARRIVES_MS = 60_000;

/** Waits for the end of a call and for its webhook, and reads what was stored. */
export async function outcomeOf(stack: Stack, call: PlacedCall): Promise<ArrivedCall> {
  await call.ended;
  return arrivedOutcome(stack, call.callSid);
}

/** The CallLog and the webhook of a call that has ended. */
export function arrivedOutcome(stack: Stack, callSid: string): Promise<ArrivedCall> {
  return arrivedCall(stack, callSid, ARRIVES_MS);
}

/**
 * The promise of the product, over everything that the stack has seen: exactly one CallLog per call, exactly one webhook id
 * per call with one body, whatever was sent twice, all of it signed; and the delivery row says delivered.
 */
export async function expectOneOfEach(stack: Stack, callSids: readonly string[]): Promise<void> {
  const logs = await stack.records.callLogs();
  expect(logs.map((log) => log['_id']).toSorted()).toEqual([...callSids].toSorted());
  expect(stack.receiver.received.every((one) => one.verified)).toBe(true);
  for (const callSid of callSids) {
    const arrived = stack.receiver.received.filter((one) => callOf(one) === callSid);
    expect([...new Set(arrived.map((one) => one.webhookId))], callSid).toEqual([`msg_${callSid}_completed`]);
    expect(new Set(arrived.map((one) => one.rawBody.toString('base64'))).size, callSid).toBe(1);
    const rows = await eventually(`the delivery of ${callSid} is marked`, async () => {
      const found = await stack.records.deliveries(callSid);
      return found.every((row) => row['state'] === 'delivered') && found;
    });
    expect(rows).toHaveLength(1);
  }
}

/** Every difference between what was said in the dialogue and what the CallLog says was said: none when all audio arrived whole. */
export function transcriptProblems(callLog: Document, dialogue: Dialogue): string[] {
  const said = transcriptLines(dialogue.turns).split('\n');
  const heard = String(callLog['final_transcript'] ?? '').split('\n');
  return [
    ...said.filter((line) => !heard.includes(line)).map((line) => `not heard: ${line}`),
    ...heard.filter((line) => !said.includes(line)).map((line) => `never said: ${line}`),
    ...(said.join('\n') === heard.join('\n') || said.length !== heard.length ? [] : ['another order']),
  ];
}
