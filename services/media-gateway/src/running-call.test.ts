import { describe, expect, it } from 'vitest';
import { createCalls } from './calls.ts';
import { RunningCall, type CallDeps, type MediaStream } from './running-call.ts';
import {
  createFakeBroker,
  createPuppetAgent,
  limits,
  listeningLogger,
  plan,
  silentLogger,
  type LogLine,
} from './testing/examples.ts';
import { createTestDirectory } from './testing/directory.ts';

const deadStream: MediaStream = { play: () => undefined, clear: () => undefined, close: () => undefined };

function deps() {
  const broker = createFakeBroker();
  const agent = createPuppetAgent();
  const ignore = (): void => undefined;
  const given: CallDeps = {
    agent,
    publish: async (event) => {
      await broker.send(event);
      return 'stored';
    },
    onOver: ignore,
    onHandedOver: ignore,
    onElsewhere: ignore,
    logger: silentLogger,
  };
  return { broker, agent, given };
}

describe('a running call', () => {
  it('opens one media stream and none when it is over', async () => {
    const { given } = deps();
    const call = new RunningCall(plan, given);
    expect([call.open(deadStream), call.open(deadStream)]).toEqual([true, false]);
    call.receive({ kind: 'media_stopped' });
    await call.settled;
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
    await call.settled;
    expect(order).toEqual(['play', 'returned', 'close']);
    expect(broker.events.map((event) => event.data.call.endedReason)).toEqual(['congested']);
  });
});

describe('a running call whose agent is mute', () => {
  it('closes the session, says so once for each, and ends as agent_lost when the second one is mute too', async () => {
    const { given, agent, broker } = deps();
    const lines: LogLine[] = [];
    const impatient = { ...plan, startedAt: Date.now(), limits: { ...limits, answerMs: 30 } };
    const call = new RunningCall(impatient, { ...given, logger: listeningLogger(lines) });
    call.open(deadStream);
    agent.sessions[0]?.report({ kind: 'agent_ready' });
    await expect.poll(() => agent.sessions.length).toBe(2);
    expect(agent.sessions[0]?.told).toEqual(['speak Hello there.', 'close']);
    agent.sessions[1]?.report({ kind: 'agent_ready' });
    await call.settled;
    expect(broker.events.map((event) => event.data.call.endedReason)).toEqual(['agent_lost']);
    expect(lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['reason'])).toEqual([
      'mute',
      'mute',
    ]);
  });
});

describe('a running call whose effects throw', () => {
  const WORDS = 'the words of a caller';
  const broken = (): never => {
    throw new TypeError(WORDS);
  };

  it('ends as agent_lost and publishes once when no session can be opened', async () => {
    const { given, broker } = deps();
    const lines: LogLine[] = [];
    let attempts = 0;
    const connect = (): never => {
      attempts += 1;
      return broken();
    };
    const call = new RunningCall(plan, { ...given, agent: { connect }, logger: listeningLogger(lines) });
    expect(call.open(deadStream)).toBe(true);
    for (const kind of ['media_closed', 'drain'] as const) call.receive({ kind });
    await call.settled;
    expect(broker.events.map((event) => event.data.call.endedReason)).toEqual(['agent_lost']);
    expect(attempts).toBe(2);
    expect(lines.filter((line) => line.level === 'error')).toHaveLength(1);
    expect(lines.map((line) => `${line.message} ${String(line.fields['reason'])}`).join('\n')).not.toContain(WORDS);
  });

  it('takes a session that reports its loss and then throws for one loss, not two', async () => {
    const { given, agent } = deps();
    let attempts = 0;
    const call = new RunningCall(plan, {
      ...given,
      agent: {
        connect: (session, report) => {
          attempts += 1;
          if (attempts > 1) return agent.connect(session, report);
          report({ kind: 'agent_lost', reason: 'closed_1006' });
          return broken();
        },
      },
    });
    call.open(deadStream);
    agent.sessions[0]?.report({ kind: 'agent_ready' });
    expect(call.isOver()).toBe(false);
    expect(agent.sessions[0]?.told).toEqual(['speak Hello there.']);
    call.receive({ kind: 'drain' });
    await call.settled;
  });

  it('ends and publishes once whatever else throws, with one error line for each kind of effect', async () => {
    const { given, broker } = deps();
    const lines: LogLine[] = [];
    const reports: Parameters<CallDeps['agent']['connect']>[1][] = [];
    const session = { append: broken, speak: broken, commit: broken, truncate: broken, close: broken };
    const call = new RunningCall(plan, {
      ...given,
      agent: {
        connect: (_session, report) => {
          reports.push(report);
          return session;
        },
      },
      onHandedOver: broken,
      logger: listeningLogger(lines),
    });
    call.open({ play: broken, clear: broken, close: broken });
    reports[0]?.({ kind: 'agent_ready' });
    reports[0]?.({ kind: 'agent_audio', itemId: 'a1', payload: 'AAAA', ms: 20 });
    for (let frame = 0; frame < 3; frame += 1) call.receive({ kind: 'media_audio', payload: 'AAAA', ms: 20 });
    reports[0]?.({ kind: 'caller_started', itemId: 'c1', atMs: 40 });
    call.receive({ kind: 'media_closed' });
    reports[0]?.({ kind: 'caller_text', itemId: 'c1', text: 'Hello', isFinal: true });
    await call.settled;
    expect(broker.events.map((event) => event.data.call.endedReason)).toEqual(['stream_closed']);
    const errors = lines.filter((line) => line.level === 'error').map((line) => line.fields['kind']);
    expect(errors).toEqual([
      'speak',
      'play_audio',
      'append_audio',
      'clear_audio',
      'truncate',
      'close_media',
      'commit_audio',
      'close_agent',
      'hand_over',
    ]);
  });

  it('says that an event was given up whose publication throws', () => {
    const { given } = deps();
    const lines: LogLine[] = [];
    const call = new RunningCall(plan, { ...given, publish: broken, logger: listeningLogger(lines) });
    call.receive({ kind: 'drain' });
    expect(call.isOver()).toBe(true);
    expect(lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });
});

describe('the calls of a process', () => {
  const createAll = (onEnded: () => void = () => undefined) => {
    const { given, broker } = deps();
    const { directory } = createTestDirectory();
    return { broker, directory, calls: createCalls({ ...given, directory, limits, onEnded }) };
  };

  it('drain although the count of an ended call throws', async () => {
    const { calls, directory } = createAll(() => {
      throw new TypeError('no metrics');
    });
    calls.start(plan);
    await calls.drain(0);
    expect(await directory.look(plan.callSid)).toEqual({ kind: 'published', endedReason: 'drain' });
  });

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
    await call.settled;
    await expect.poll(() => calls.find(plan.callSid)).toBeUndefined();
    expect(await directory.look(plan.callSid)).toEqual({ kind: 'published', endedReason: 'drain' });
  });
});
