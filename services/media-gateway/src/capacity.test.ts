import { afterEach, describe, expect, it } from 'vitest';
import { business } from './testing/examples.ts';
import { createTestGateway, type TestGateway } from './testing/gateway.ts';
import { createMemoryBucket, type MemoryBucket } from './testing/memory-bucket.ts';
import { changed, formRequest, voiceForm } from './testing/twilio.ts';

const gateways: TestGateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.splice(0).map(({ app }) => app.close()));
});

/** A bucket whose every operation lets other work happen before and after it, as the network does. */
const slowBucket = (): MemoryBucket =>
  createMemoryBucket({ turn: () => new Promise((resolve) => setImmediate(resolve)) });

async function gatewayOf(options: { maxCalls: number; maxOfBusiness: number; bucket?: MemoryBucket }) {
  const bucket = options.bucket ?? slowBucket();
  const gateway = await createTestGateway({ bucket, config: { MAX_CALLS: options.maxCalls } });
  gateway.settings = { ...business, max_concurrent_calls: options.maxOfBusiness };
  gateways.push(gateway);
  return gateway;
}

const callSidOf = (index: number): string => `CA${String(index).padStart(32, '0')}`;

/** What the caller of each webhook gets, all sent at once, in turn to each gateway. */
async function ringAtOnce(callSids: readonly string[], ...pods: readonly TestGateway[]): Promise<string[]> {
  const answers = callSids.map(async (callSid, index) => {
    const form = changed(voiceForm, { CallSid: callSid });
    const { body } = await pods[index % pods.length]!.app.inject(formRequest('/twilio/voice', form));
    return body.includes('<Stream') ? 'connected' : body.includes('reason="busy"') ? 'busy' : body;
  });
  return Promise.all(answers);
}

const count = (answers: readonly string[], wanted: string): number =>
  answers.filter((answer) => answer === wanted).length;
const twelve = Array.from({ length: 12 }, (_, index) => callSidOf(index));

describe('calls that ring at the same instant', () => {
  it('are never more than MAX_CALLS of a process, and fill it', async () => {
    const gateway = await gatewayOf({ maxCalls: 5, maxOfBusiness: 1_000 });
    const answers = await ringAtOnce(twelve, gateway);
    expect([count(answers, 'connected'), count(answers, 'busy'), gateway.activeCalls()]).toEqual([5, 7, 5]);
  });

  it('are refused before the bucket in which all processes write them down is full', async () => {
    const bucket = slowBucket();
    bucket.filled = 0.91;
    const gateway = await gatewayOf({ maxCalls: 5, maxOfBusiness: 1_000, bucket });
    await expect.poll(gateway.bucketFilled, { timeout: 10_000 }).toBe(0.91);
    expect(await ringAtOnce(twelve, gateway)).toEqual(twelve.map(() => 'busy'));
    expect(gateway.activeCalls()).toBe(0);
  });

  it('are at two processes never more than each may have', async () => {
    const bucket = slowBucket();
    const pods = [
      await gatewayOf({ maxCalls: 3, maxOfBusiness: 1_000, bucket }),
      await gatewayOf({ maxCalls: 4, maxOfBusiness: 1_000, bucket }),
    ];
    const answers = await ringAtOnce(twelve, ...pods);
    expect([count(answers, 'connected'), ...pods.map((pod) => pod.activeCalls())]).toEqual([7, 3, 4]);
  });

  it('are never more than max_concurrent_calls of their business, at one process and at two', async () => {
    const bucket = slowBucket();
    const one = await gatewayOf({ maxCalls: 100, maxOfBusiness: 5, bucket });
    const two = await gatewayOf({ maxCalls: 100, maxOfBusiness: 5, bucket });
    const answers = await ringAtOnce(twelve, one, two);
    expect([count(answers, 'connected'), one.activeCalls() + two.activeCalls()]).toEqual([5, 5]);
    expect(count(await ringAtOnce([callSidOf(20), callSidOf(21)], one), 'connected')).toBe(0);
  });

  it('are counted one by one where a process counts for itself: while the bucket is away', async () => {
    const bucket = slowBucket();
    const alone = await gatewayOf({ maxCalls: 100, maxOfBusiness: 5, bucket });
    bucket.isAway = true;
    expect(count(await ringAtOnce(twelve, alone), 'connected')).toBe(5);
    expect(count(await ringAtOnce([callSidOf(20)], alone), 'connected')).toBe(0);
  });

  it('are counted one by one where a process counts for itself: above a thousand', async () => {
    const alone = await gatewayOf({ maxCalls: 2_000, maxOfBusiness: 1_001 });
    const many = Array.from({ length: 1_020 }, (_, index) => callSidOf(index));
    expect(count(await ringAtOnce(many, alone), 'connected')).toBe(1_001);
  });

  it('and are refused leave the place in their business free', async () => {
    const bucket = slowBucket();
    const small = await gatewayOf({ maxCalls: 1, maxOfBusiness: 3, bucket });
    const large = await gatewayOf({ maxCalls: 100, maxOfBusiness: 3, bucket });
    expect(count(await ringAtOnce(twelve.slice(0, 4), small), 'connected')).toBe(1);
    expect(count(await ringAtOnce(twelve.slice(4), large), 'connected')).toBe(2);
  });

  it('under one CallSid, because a webhook was sent again, are one call that gets the last place', async () => {
    const gateway = await gatewayOf({ maxCalls: 1, maxOfBusiness: 1 });
    const answers = await ringAtOnce([callSidOf(1), callSidOf(1), callSidOf(1)], gateway);
    expect([count(answers, 'connected'), gateway.activeCalls()]).toEqual([3, 1]);
  });
});
