import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dialogue } from '../../dialogues/dialogue.ts';
import { loadDialogues } from '../../dialogues/load.ts';
import { startAiProvider, type AiProvider } from '../ai-provider.ts';
import { API_KEY, connect, END_CALL_TOOL, sayExactly, sessionUpdate, type RealtimeClient } from '../test-client.ts';

let dialogue: Dialogue;
let dialogues: Dialogue[];
let provider: AiProvider;
let client: RealtimeClient;
beforeAll(async () => {
  dialogues = await loadDialogues();
  dialogue = dialogues.find(({ id }) => id === 'he-renovation')!;
});
beforeEach(async () => {
  provider = await startAiProvider({ dialogues, apiKey: API_KEY });
  client = await connect(provider);
});
afterEach(() => {
  client.close();
  return provider.close();
});

const begin = async (audioInput: object = {}) => {
  client.send(sessionUpdate(audioInput));
  await client.next('session.updated');
};
const callerTurns = () => dialogue.turns.filter((turn) => turn.speaker === 'caller').map((turn) => turn.text);

describe('a session refuses', () => {
  it.each([
    ['session.update without a type', { session: { instructions: 'x' } }, 'missing_required_parameter', 'session.type'],
    [
      'the beta name of a field',
      { session: { type: 'realtime', modalities: ['audio'] } },
      'unknown_parameter',
      'session.modalities',
    ],
    ['a voice at the top', { session: { type: 'realtime', voice: 'marin' } }, 'unknown_parameter', 'session.voice'],
    [
      'a rate for pcmu',
      { session: { type: 'realtime', audio: { input: { format: { type: 'audio/pcmu', rate: 8_000 } } } } },
      'unknown_parameter',
      'session.audio.input.format.rate',
    ],
    [
      'another rate for pcm',
      { session: { type: 'realtime', audio: { input: { format: { type: 'audio/pcm', rate: 8_000 } } } } },
      'invalid_value',
      'session.audio.input.format.rate',
    ],
    [
      'a tool marked strict',
      { session: { type: 'realtime', tools: [{ ...END_CALL_TOOL, strict: true }] } },
      'unknown_parameter',
      'session.tools.0.strict',
    ],
    [
      'an unknown transcription model',
      { session: { type: 'realtime', audio: { input: { transcription: { model: 'gpt-6-luna' } } } } },
      'model_not_found',
      null,
    ],
    ['another model', { session: { type: 'realtime', model: 'gpt-realtime' } }, 'cannot_update_model', 'session.model'],
  ])('%s', async (_, body, code, param) => {
    client.send({ type: 'session.update', event_id: 'e1', ...body });
    expect((await client.next('error')).error).toMatchObject({
      code,
      param,
      event_id: 'e1',
      type: 'invalid_request_error',
    });
  });

  it('an unknown event, broken base64, an item that is not there, audio before pcmu is agreed, a new voice after the first word', async () => {
    client.send({ type: 'response.audio.delta' });
    expect((await client.next('error')).error).toMatchObject({ code: 'invalid_value', param: 'type' });
    client.send({ type: 'input_audio_buffer.append', audio: '####' });
    expect((await client.next('error')).error).toMatchObject({ param: 'audio' });
    client.send({ type: 'conversation.item.truncate', item_id: 'item_x', content_index: 0, audio_end_ms: 0 });
    expect((await client.next('error')).error).toMatchObject({ code: 'item_not_found' });
    client.append(new Int16Array(160));
    expect((await client.next('error')).error).toMatchObject({ param: 'audio' });
    await begin();
    client.send(sayExactly('hello'));
    await client.next('response.done');
    client.send({ type: 'session.update', session: { type: 'realtime', audio: { output: { voice: 'cedar' } } } });
    expect((await client.next('error')).error.code).toBe('cannot_update_voice');
  });

  it('a client without the key, with the header of the beta, or with an unknown model', async () => {
    await expect(connect(provider, {})).rejects.toThrow('401');
    expect(provider.requests.at(-1)).toMatchObject({ route: 'realtime', status: 401 });
    const beta = await connect(provider, { authorization: `Bearer ${API_KEY}`, 'openai-beta': 'realtime=v1' });
    expect((await beta.next('error')).error.code).toBe('beta_api_shape_disabled');
    expect(await beta.closed).toBe(4_000);
  });
});

describe('a fault of a session', () => {
  it('refuses the upgrade', async () => {
    provider.setFault({ route: 'realtime', kind: 'status', status: 429, retryAfter: 1, times: 1 });
    await expect(connect(provider)).rejects.toThrow('429');
    (await connect(provider)).close();
  });

  it('leaves a session mute from the start', async () => {
    provider.setFault({ route: 'realtime', kind: 'hang', times: 1 });
    const mute = await connect(provider);
    const other = await connect(provider);
    await other.next('session.created');
    expect(mute.events).toEqual([]);
    mute.close();
    other.close();
  });

  it('drops the socket, or expires the session, when the agent is about to answer those words', async () => {
    const [first = '', second = ''] = callerTurns();
    provider.setFault({ route: 'realtime', kind: 'disconnect', match: { textIncludes: second } });
    await begin();
    client.say(first);
    await client.next('response.done');
    client.say(second);
    expect(await client.closed).toBe(1_006);
    provider.setFault({ route: 'realtime', kind: 'session_expired' });
    const other = await connect(provider);
    other.send({ type: 'response.create' });
    expect((await other.next('error')).error.code).toBe('session_expired');
    expect(await other.closed).toBe(1_001);
  });

  it('fails a response, silences it, delays it, puts a broken frame before it', async () => {
    await begin();
    for (const fault of [
      { kind: 'response_failed' },
      { kind: 'silence' },
      { kind: 'delay', ms: 20 },
      { kind: 'malformed' },
    ] as const) {
      provider.setFault({ route: 'realtime', times: 1, ...fault });
    }
    client.send(sayExactly('hello'));
    expect((await client.next('response.done')).response).toMatchObject({
      status: 'failed',
      status_details: { error: { code: 'server_error' } },
    });
    client.send(sayExactly('hello'));
    expect((await client.next('response.done')).response).toMatchObject({ status: 'completed', output: [] });
    for (const broken of [0, 1]) {
      client.send(sayExactly('hello'));
      expect((await client.next('response.done')).response).toMatchObject({
        status: 'completed',
        output: [{ status: 'completed' }],
      });
      expect(client.events.filter((event) => typeof event === 'string')).toHaveLength(broken);
    }
  });

  it('says nothing any more once the caller speaks, whatever it is asked, while its socket lives', async () => {
    await begin();
    client.send(sayExactly('hello'));
    await client.next('response.done');
    provider.setFault({ route: 'realtime', kind: 'deaf', times: 1 });
    const before = client.events.length;
    client.say(callerTurns()[0]!);
    client.send(sessionUpdate());
    client.send(sayExactly('hello'));
    await client.pong();
    expect(client.events).toHaveLength(before);
  });

  it('begins no response, and hears the caller all the same', async () => {
    provider.setFault({ route: 'realtime', kind: 'mute', times: 1 });
    await begin();
    client.say(callerTurns()[0]!);
    await client.next('conversation.item.input_audio_transcription.completed');
    expect(client.events.some(({ type }) => type.startsWith('response.'))).toBe(false);
    client.send(sayExactly('hello'));
    expect((await client.next('response.done')).response).toMatchObject({ status: 'completed' });
  });

  it('gives a transcription late, and right', async () => {
    provider.setFault({ route: 'realtime', kind: 'transcription_late', ms: 600, times: 1 });
    await begin();
    const before = performance.now();
    client.say(callerTurns()[0]!);
    const completed = await client.next('conversation.item.input_audio_transcription.completed');
    expect(completed.transcript).toBe(callerTurns()[0]);
    expect(performance.now() - before).toBeGreaterThan(590);
  });

  it('fails a transcription and nothing else', async () => {
    provider.setFault({ route: 'realtime', kind: 'transcription_failed', times: 1 });
    await begin();
    client.say(callerTurns()[0]!);
    const failed = await client.next('conversation.item.input_audio_transcription.failed');
    expect(failed.error.code).toBe('audio_unintelligible');
    expect(client.events.some(({ type }) => type === 'error')).toBe(false);
  });
});
