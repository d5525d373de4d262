import { PermanentError } from '@pipeline/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newCall } from '../call/call.ts';
import { callEnded } from '../call/call-ended.ts';
import { createFakeBroker, plan, silentLogger } from '../testing/examples.ts';
import { createEventPublisher } from './broker.ts';

const event = callEnded(newCall(plan).call, { reason: 'completed', at: plan.startedAt });

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

describe('the way out', () => {
  it('keeps an event and repeats it until the stream has it', async () => {
    const broker = createFakeBroker();
    broker.isDown = true;
    const publisher = createEventPublisher({ send: broker.send, logger: silentLogger });
    let isStored = false;
    void publisher.publish(event).then(() => (isStored = true));
    await vi.advanceTimersByTimeAsync(600_000);
    expect([isStored, publisher.count()]).toEqual([false, 1]);
    broker.isDown = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect([isStored, publisher.count(), broker.events]).toEqual([true, 0, [event]]);
  });

  it('makes the process unready only when an event is late', async () => {
    const sent = Promise.withResolvers<void>();
    const publisher = createEventPublisher({ send: () => sent.promise, logger: silentLogger });
    const stored = publisher.publish(event);
    expect(publisher.readiness()).toEqual({ ok: true });
    await vi.advanceTimersByTimeAsync(5_001);
    expect(publisher.readiness()).toEqual({ ok: false, reason: '1 call.ended events wait for the broker' });
    sent.resolve();
    await stored;
    expect(publisher.readiness()).toEqual({ ok: true });
  });

  it('gives up the live transcript rather than the end of a call', async () => {
    const stored: (unknown[] | null)[] = [];
    const send = async ({ data }: typeof event): Promise<void> => {
      if (data.liveTranscript !== null) throw new PermanentError('EVENT_TOO_LARGE');
      stored.push(data.liveTranscript);
    };
    const publisher = createEventPublisher({ send, logger: silentLogger });
    void publisher.publish({ ...event, data: { ...event.data, liveTranscript: [] } });
    await vi.advanceTimersByTimeAsync(30_000);
    expect([stored, publisher.count()]).toEqual([[null], 0]);
  });

  it('is empty when flush returns', async () => {
    const sent = Promise.withResolvers<void>();
    const publisher = createEventPublisher({ send: () => sent.promise, logger: silentLogger });
    void publisher.publish(event);
    const flushed = publisher.flush().then(() => publisher.count());
    sent.resolve();
    expect(await flushed).toBe(0);
  });
});
