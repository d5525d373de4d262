import { describe, expect, it } from 'vitest';
import { CALL_SID, limits, plan } from '../testing/examples.ts';
import { itemOf, turnsOf } from '../live-transcript.ts';
import { MAX_WAITING, newCall, type Call, type CallEffect, type CallInput } from './call.ts';
import { reduce } from './reduce.ts';

const START = plan.startedAt;

/** A call that has been through `inputs`, one a millisecond, and everything that it caused. */
function played(...inputs: CallInput[]): { call: Call; effects: CallEffect[] } {
  const first = newCall(plan);
  let call = first.call;
  const effects: CallEffect[] = [...first.effects];
  inputs.forEach((input, index) => {
    const step = reduce(call, input, START + index + 1);
    call = step.call;
    effects.push(...step.effects);
  });
  return { call, effects };
}

const kinds = (effects: readonly CallEffect[]) => effects.map((effect) => effect.kind);
const published = (effects: readonly CallEffect[]) =>
  effects.flatMap((effect) => (effect.kind === 'publish' ? [effect.event] : []));

const live: CallInput[] = [{ kind: 'media_started' }, { kind: 'agent_ready' }];
const audio = (payload: string): CallInput => ({ kind: 'media_audio', payload, ms: 20 });
const says = (itemId: string, ms = 200): CallInput => ({ kind: 'agent_audio', itemId, payload: 'AAAA', ms });
const callerSpoke: CallInput[] = [
  { kind: 'caller_started', itemId: 'c1', atMs: 0 },
  { kind: 'caller_stopped', itemId: 'c1' },
];
const callerText: CallInput = { kind: 'caller_text', itemId: 'c1', text: 'Hello', isFinal: true };

describe('a call', () => {
  it('greets as soon as the agent is ready, then sends the audio that waited, in order', () => {
    const { effects } = played(
      { kind: 'media_started' },
      audio('one'),
      audio('two'),
      { kind: 'agent_ready' },
      audio('three'),
    );
    expect(effects.filter((effect) => effect.kind === 'speak' || effect.kind === 'append_audio')).toEqual([
      { kind: 'speak', text: 'Hello there.' },
      { kind: 'append_audio', payload: 'one' },
      { kind: 'append_audio', payload: 'two' },
      { kind: 'append_audio', payload: 'three' },
    ]);
  });

  it('keeps only the latest audio while the agent is not ready', () => {
    const frames = Array.from({ length: MAX_WAITING + 3 }, (_, index) => audio(String(index)));
    const { call } = played({ kind: 'media_started' }, ...frames);
    expect(call.waiting).toHaveLength(MAX_WAITING);
    expect(call.waiting.at(-1)).toBe(String(MAX_WAITING + 2));
  });

  it('sends what the agent says with a mark behind each piece', () => {
    const { effects } = played(...live, says('a1'), says('a1'));
    expect(effects.filter((effect) => effect.kind === 'play_audio')).toEqual([
      { kind: 'play_audio', payload: 'AAAA', mark: '1:200:a1' },
      { kind: 'play_audio', payload: 'AAAA', mark: '1:400:a1' },
    ]);
  });

  it('is cut where it was heard when the caller speaks, and drops what comes late', () => {
    const { call, effects } = played(
      ...live,
      says('a1'),
      says('a1'),
      { kind: 'media_mark', name: '1:200:a1' },
      { kind: 'caller_started', itemId: 'c1', atMs: 500 },
      says('a1'),
    );
    expect(effects.slice(-2)).toEqual([{ kind: 'clear_audio' }, { kind: 'truncate', itemId: 'a1', heardMs: 250 }]);
    expect(itemOf(call.transcript, 'a1')?.heardMs).toBe(250);
  });

  it('places a caller whose start nobody can say at the audio received so far', () => {
    const inputs: CallInput[] = [...live, audio('one'), audio('two')];
    const { call } = played(...inputs, { kind: 'caller_started', itemId: 'c1', atMs: null }, callerText);
    expect(turnsOf(call.transcript)).toEqual([{ speaker: 'caller', text: 'Hello', startMs: 40 }]);
  });

  it('does not clear when the agent was silent', () => {
    expect(kinds(played(...live, ...callerSpoke).effects)).not.toContain('clear_audio');
  });

  it.each([
    [{ kind: 'media_stopped' }, 'stream_stopped'],
    [{ kind: 'media_closed' }, 'stream_closed'],
    [{ kind: 'media_invalid' }, 'media_invalid'],
    [{ kind: 'congested' }, 'congested'],
    [{ kind: 'refused' }, 'refused'],
    [{ kind: 'final_status', status: 'completed' }, 'completed'],
    [{ kind: 'timer', timer: 'max_duration' }, 'max_duration'],
    [{ kind: 'drain' }, 'drain'],
  ] as const)('ends by %o with its own reason, closes both sides and publishes', (input, reason) => {
    const { call, effects } = played(...live, input);
    expect(kinds(effects).slice(-3)).toEqual(['close_media', 'close_agent', 'publish']);
    expect(published(effects)[0]?.data.call.endedReason).toBe(reason);
    expect(call.phase).toBe('ended');
  });

  it('waits for the last words of the caller before it publishes, and closes the media stream at once', () => {
    const ended = played(...live, ...callerSpoke, { kind: 'media_stopped' });
    expect(kinds(ended.effects).slice(-2)).toEqual(['close_media', 'set_timer']);
    const { effects } = played(...live, ...callerSpoke, { kind: 'media_stopped' }, callerText);
    expect(kinds(effects).slice(-2)).toEqual(['close_agent', 'publish']);
    expect(published(effects)[0]?.data.liveTranscript).toEqual([{ speaker: 'caller', text: 'Hello', startMs: 0 }]);
  });

  it('closes a turn that the caller was still speaking, so that it is written down', () => {
    const speaking: CallInput = { kind: 'caller_started', itemId: 'c1', atMs: 0 };
    expect(kinds(played(...live, speaking, { kind: 'media_stopped' }).effects).slice(-3)).toEqual([
      'close_media',
      'commit_audio',
      'set_timer',
    ]);
  });

  it('publishes without the last words when they do not come in time, cannot come, or their session is gone', () => {
    const over: CallInput[] = [...live, ...callerSpoke, { kind: 'media_stopped' }];
    for (const last of [
      { kind: 'timer', timer: 'grace' },
      { kind: 'caller_text_failed', itemId: 'c1' },
      { kind: 'agent_lost', reason: 'closed_1006' },
    ] as const) {
      expect(published(played(...over, last).effects)).toHaveLength(1);
    }
  });

  it('that never opened a media stream ends by its status callback, without a live transcript', () => {
    const { effects } = played({ kind: 'final_status', status: 'no-answer' });
    expect(kinds(effects).slice(1)).toEqual(['publish']);
    expect(published(effects)[0]?.data).toMatchObject({ liveTranscript: null, call: { endedReason: 'no_answer' } });
  });

  it('that was answered and then forgotten ends by itself', () => {
    const { effects } = played({ kind: 'timer', timer: 'stream_wait' });
    expect(published(effects)).toHaveLength(1);
    expect(published(played(...live, { kind: 'timer', timer: 'stream_wait' }).effects)).toHaveLength(0);
  });

  it('ends when the line was silent for the whole idle time and not before', () => {
    const { call } = played(...live, audio('AAAA'));
    const early = reduce(call, { kind: 'timer', timer: 'media_idle' }, START + 3 + limits.mediaIdleMs - 1);
    expect(early.effects).toEqual([{ kind: 'set_timer', timer: 'media_idle', ms: 1 }]);
    const late = reduce(early.call, { kind: 'timer', timer: 'media_idle' }, START + 3 + limits.mediaIdleMs);
    expect(published(late.effects)[0]?.data.call.endedReason).toBe('media_idle');
  });

  it('reconnects its agent once, tells it what was said, and ends when it is lost again', () => {
    const lost: CallInput = { kind: 'agent_lost', reason: 'closed_1006' };
    const again = played(...live, ...callerSpoke, callerText, lost, audio('wait'), { kind: 'agent_ready' });
    const sessions = again.effects.flatMap((effect) => (effect.kind === 'connect_agent' ? [effect.session] : []));
    expect(sessions.map((session) => session.history.map((turn) => turn.text))).toEqual([[], ['Hello']]);
    expect(again.effects.slice(-2)).toEqual([
      { kind: 'speak', text: null },
      { kind: 'append_audio', payload: 'wait' },
    ]);
    const mute = played(...live, lost, { kind: 'agent_ready' });
    expect(mute.effects.at(-1)).toEqual({ kind: 'speak', text: 'Hello there.' });
    const greeted: CallInput = { kind: 'agent_text', itemId: 'a1', text: 'Hello there.', isFinal: true };
    const settled = played(...live, says('a1'), greeted, lost, { kind: 'agent_ready' });
    expect(settled.effects.at(-1)?.kind).toBe('connect_agent');
    const late = played(...live, says('a1'), greeted, { ...lost, isLate: true }, { kind: 'agent_ready' });
    expect(late.effects.at(-1), 'the caller may have said something to nobody').toEqual({ kind: 'speak', text: null });
    const { effects } = played(...live, lost, { kind: 'agent_ready' }, lost);
    expect(published(effects)[0]?.data.call.endedReason).toBe('agent_lost');
  });

  describe('whose agent owes a word', () => {
    const after = (inputs: readonly CallInput[], ms: number) =>
      reduce(played(...inputs).call, { kind: 'timer', timer: 'answer' }, START + inputs.length + ms);
    const isGivenUp = (step: { effects: readonly CallEffect[] }): boolean =>
      step.effects.some((effect) => effect.kind === 'close_agent' && effect.lostBy === 'mute');

    it('gives its session up after the time for an answer and not before, and greets with the next one', () => {
      const early = after(live, limits.answerMs - 1);
      expect(early.effects).toEqual([{ kind: 'set_timer', timer: 'answer', ms: 1 }]);
      const late = after(live, limits.answerMs);
      expect(kinds(late.effects)).toEqual(['close_agent', 'connect_agent']);
      const next = reduce(late.call, { kind: 'agent_ready' }, START + 20_000);
      expect(next.effects).toEqual([
        { kind: 'set_timer', timer: 'answer', ms: limits.answerMs },
        { kind: 'speak', text: 'Hello there.' },
      ]);
    });

    it('asks the next session for the answer, also when nobody knows what the caller said', () => {
      const greeted: CallInput[] = [
        ...live,
        { kind: 'agent_text', itemId: 'a1', text: 'Hi.', isFinal: true },
        says('a1'),
      ];
      const unheard: CallInput = { kind: 'caller_text_failed', itemId: 'c1' };
      const { call } = played(...greeted, ...callerSpoke, unheard);
      const lost = reduce(call, { kind: 'timer', timer: 'answer' }, START + 60_000);
      expect(kinds(lost.effects)).toEqual(['close_agent', 'connect_agent']);
      expect(reduce(lost.call, { kind: 'agent_ready' }, START + 60_001).effects.at(-1)).toEqual({
        kind: 'speak',
        text: null,
      });
    });

    it('ends when the next session is mute as well', () => {
      const once = after(live, limits.answerMs);
      const ready = reduce(once.call, { kind: 'agent_ready' }, START + 20_000);
      const twice = reduce(ready.call, { kind: 'timer', timer: 'answer' }, START + 20_000 + limits.answerMs);
      expect(published(twice.effects)[0]?.data.call.endedReason).toBe('agent_lost');
    });

    it.each<[string, CallInput[], boolean]>([
      ['a word of it was heard', [says('a1')], false],
      ['a response without words is done', [{ kind: 'agent_response_done', hasFailed: false }], false],
      ['it hangs up', [says('a1'), ...callerSpoke, { kind: 'agent_leaves' }], false],
      ['the caller speaks', [{ kind: 'caller_started', itemId: 'c1', atMs: 0 }], false],
      ['a response has only begun', [{ kind: 'agent_response_started' }], true],
      ['a response failed and was asked for again', [{ kind: 'agent_response_done', hasFailed: true }], true],
      ['late audio of what the caller cut', [says('a1'), ...callerSpoke, says('a1')], true],
    ])('waits for it when %s: %j', (_what, inputs, isOwed) => {
      expect(isGivenUp(after([...live, ...inputs], limits.answerMs))).toBe(isOwed);
    });
  });

  it('counts the times of a second session from where the first one ended', () => {
    const { call } = played(
      ...live,
      ...Array.from({ length: 10 }, () => audio('AAAA')),
      { kind: 'agent_lost', reason: 'closed_1006' },
      { kind: 'agent_ready' },
      { kind: 'caller_started', itemId: 'c9', atMs: 100 },
    );
    expect(itemOf(call.transcript, 'c9')?.startMs).toBe(300);
  });

  it('lets the agent hang up once its goodbye was heard', () => {
    const leaving: CallInput[] = [
      ...live,
      { kind: 'agent_response_started' },
      { kind: 'agent_leaves' },
      says('bye'),
      { kind: 'agent_response_done', hasFailed: false },
    ];
    expect(published(played(...leaving).effects)).toHaveLength(0);
    const heard = played(...leaving, { kind: 'media_mark', name: '1:200:bye' });
    expect(published(heard.effects)[0]?.data.call.endedReason).toBe('agent_hung_up');
    const deaf = played(...leaving, { kind: 'timer', timer: 'farewell' });
    expect(published(deaf.effects)[0]?.data.call.endedReason).toBe('agent_hung_up');
  });

  it('lets the agent hang up when its goodbye is cut short, or its session is lost meanwhile', () => {
    const leaving: CallInput[] = [
      ...live,
      says('bye'),
      { kind: 'agent_audio_done', itemId: 'bye' },
      { kind: 'agent_leaves' },
    ];
    const cut = played(...leaving, { kind: 'caller_started', itemId: 'c1', atMs: 0 }, { ...callerText });
    expect(published(cut.effects)[0]?.data.call.endedReason).toBe('agent_hung_up');
    const lost = played(...leaving, { kind: 'agent_lost', reason: 'closed_1006' });
    expect([
      published(lost.effects).length,
      kinds(lost.effects).filter((kind) => kind === 'connect_agent').length,
    ]).toEqual([0, 1]);
    const heard = reduce(lost.call, { kind: 'media_mark', name: '1:200:bye' }, START + 99);
    expect(published(heard.effects)[0]?.data.call.endedReason).toBe('agent_hung_up');
  });

  it('asks again when a response fails and ends after three failures in a row', () => {
    const failed: CallInput = { kind: 'agent_response_done', hasFailed: true };
    const twice = played(...live, failed, failed);
    const greeting = { kind: 'speak', text: 'Hello there.' };
    expect(twice.effects.filter(({ kind }) => kind === 'speak').slice(1)).toEqual([greeting, greeting]);
    expect(published(played(...live, failed, failed, failed).effects)[0]?.data.call.endedReason).toBe('agent_lost');
  });

  it('publishes the facts of the call, the same however often they are built', () => {
    const { effects } = played(...live, { kind: 'media_stopped' }, { kind: 'published' });
    const [event] = published(effects);
    expect(effects.at(-1)).toEqual({ kind: 'hand_over', event });
    expect(event).toEqual({
      type: 'call.ended',
      version: 1,
      id: `${CALL_SID}:media-gateway:r1`,
      occurredAt: '2023-11-14T22:13:20.003Z',
      businessId: 'biz_1',
      callSid: CALL_SID,
      revision: 1,
      data: {
        call: {
          from: '+15551230000',
          to: '+972501234567',
          direction: 'inbound',
          startedAt: '2023-11-14T22:13:20.000Z',
          endedAt: '2023-11-14T22:13:20.003Z',
          durationSec: 0,
          endedReason: 'stream_stopped',
          source: 'gateway',
        },
        analysis: { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'neutral' } },
        liveTranscript: [],
      },
    });
  });
});
