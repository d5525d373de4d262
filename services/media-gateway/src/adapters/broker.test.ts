import { callEndedSchema, PermanentError, type LiveTurn } from '@pipeline/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newCall } from '../call/call.ts';
import { callEnded } from '../call/call-ended.ts';
import { createFakeBroker, listeningLogger, plan, silentLogger, type LogLine } from '../testing/examples.ts';
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

  it.each<[string, LiveTurn]>([
    ['a start that is no time', { speaker: 'caller', text: 'Hello', startMs: 1e300 }],
    ['a turn without an end', { speaker: 'caller', text: 'a'.repeat(20_001), startMs: 0 }],
  ])('sends an event that every stage can read although its live transcript has %s', async (_name, turn) => {
    const broker = createFakeBroker();
    const lines: LogLine[] = [];
    const publisher = createEventPublisher({ send: broker.send, logger: listeningLogger(lines) });
    await publisher.publish({ ...event, data: { ...event.data, liveTranscript: [turn] } });
    expect(broker.events).toEqual([event]);
    expect(callEndedSchema.safeParse(broker.events[0]).success).toBe(true);
    expect(lines.map((line) => [line.level, line.fields['eventId']])).toEqual([['error', event.id]]);
  });

  it('sends a live transcript that is as it should be', async () => {
    const broker = createFakeBroker();
    const publisher = createEventPublisher({ send: broker.send, logger: silentLogger });
    const liveTranscript: LiveTurn[] = [{ speaker: 'caller', text: 'Hello', startMs: 0 }];
    await publisher.publish({ ...event, data: { ...event.data, liveTranscript } });
    expect(broker.events.map(({ data }) => data.liveTranscript)).toEqual([liveTranscript]);
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
