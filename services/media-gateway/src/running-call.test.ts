import { describe, expect, it } from 'vitest';
import { createMemoryDirectory } from './call-directory.ts';
import { createCalls } from './calls.ts';
import { RunningCall, type CallDeps, type MediaStream } from './running-call.ts';
import { createFakeBroker, createPuppetAgent, plan, silentLogger } from './testing/examples.ts';

const deadStream: MediaStream = { play: () => undefined, clear: () => undefined, close: () => undefined };

function deps() {
  const broker = createFakeBroker();
  const agent = createPuppetAgent();
  const given: CallDeps = { agent, publish: broker.send, onHandedOver: () => undefined, logger: silentLogger };
  return { broker, agent, given };
}

describe('a running call', () => {
  it('opens one media stream and none when it is over', async () => {
    const { given } = deps();
    const call = new RunningCall(plan, given);
    expect([call.open(deadStream), call.open(deadStream)]).toEqual([true, false]);
    call.receive({ kind: 'media_stopped' });
    await call.published;
    expect(call.open(deadStream)).toBe(false);
  });

  it('works an input that an effect causes after the input that caused it', async () => {
    const { given, broker, agent } = deps();
    const call = new RunningCall(plan, given);
    const order: string[] = [];
    call.open({
      ...deadStream,
      play: () => {
        order.push('play');
        call.receive({ kind: 'congested' });
        order.push('returned');
      },
      close: () => {
        order.push('close');
        call.receive({ kind: 'media_closed' });
      },
    });
    agent.sessions[0]?.report({ kind: 'agent_ready' });
    agent.sessions[0]?.report({ kind: 'agent_audio', itemId: 'a1', payload: 'AAAA', ms: 20 });
    await call.published;
    expect(order).toEqual(['play', 'returned', 'close']);
    expect(broker.events.map((event) => event.data.call.endedReason)).toEqual(['congested']);
  });
});

describe('the calls of a process', () => {
  const createAll = () => {
    const { given, broker } = deps();
    const directory = createMemoryDirectory({ tokenTtlMs: 60_000, maxPublished: 10 });
    return { broker, directory, calls: createCalls({ ...given, directory, onEnded: () => undefined }) };
  };

  it('hold one call under a CallSid, however often it is answered', () => {
    const { calls } = createAll();
    expect(calls.start(plan)).toBe(calls.start(plan));
    expect(calls.activeCount()).toBe(1);
    calls.start(plan).receive({ kind: 'drain' });
  });

  it('count the calls of a business until they are over', () => {
    const { calls } = createAll();
    const call = calls.start(plan);
    expect([calls.activeCount('biz_1'), calls.activeCount('biz_2')]).toEqual([1, 0]);
    call.receive({ kind: 'drain' });
    expect(calls.activeCount('biz_1')).toBe(0);
  });

  it('forget a call once it is published, and remember that it was', async () => {
    const { calls, directory } = createAll();
    const call = calls.start(plan);
    call.receive({ kind: 'drain' });
    await call.published;
    await expect.poll(() => calls.find(plan.callSid)).toBeUndefined();
    expect(await directory.isPublished(plan.callSid)).toBe(true);
  });
});
