import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dialogue } from '../../dialogues/dialogue.ts';
import { loadDialogues } from '../../dialogues/load.ts';
import { demodulate } from '../../speech/demodulate.ts';
import { modulate } from '../../speech/modulate.ts';
import { mulawDecode } from '../../speech/mulaw.ts';
import { startAiProvider, type AiProvider } from '../ai-provider.ts';
import { API_KEY, connect, sayExactly, sessionUpdate, type RealtimeClient, type ServerEvent } from '../test-client.ts';

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
const soundOf = (events: readonly ServerEvent[]) =>
  mulawDecode(
    Buffer.concat(
      events
        .filter(({ type }) => type === 'response.output_audio.delta')
        .map(({ delta }) => Buffer.from(delta, 'base64')),
    ),
  );
const callerTurns = () => dialogue.turns.filter((turn) => turn.speaker === 'caller').map((turn) => turn.text);

describe('a realtime session', () => {
  it('begins in GA form, and a session.update keeps what it does not name', async () => {
    const created = await client.next('session.created');
    expect(created).toMatchObject({
      event_id: expect.stringMatching(/^event_/),
      session: {
        type: 'realtime',
        object: 'realtime.session',
        model: 'gpt-realtime-2.1',
        audio: { input: { turn_detection: { type: 'server_vad' } } },
      },
    });
    client.send(sessionUpdate({ turn_detection: { type: 'server_vad', silence_duration_ms: 700 } }));
    const updated = await client.next('session.updated');
    expect(updated.session).toMatchObject({
      id: created.session.id,
      instructions: 'Answer the phone.',
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          noise_reduction: null,
          turn_detection: { silence_duration_ms: 700, create_response: true, threshold: 0.5 },
        },
        output: { format: { type: 'audio/pcmu' }, voice: 'marin', speed: 1 },
      },
    });
  });

  it('holds a whole dialogue: it hears the caller, answers with the next turn, and hangs up after its last', async () => {
    await begin();
    client.send(sayExactly(dialogue.turns[0]!.text));
    await client.next('response.done');
    for (const text of callerTurns()) {
      client.say(text);
      await client.next('response.done');
    }
    const spoken = client.events
      .filter(({ type }) => type === 'response.output_audio_transcript.done')
      .map(({ transcript }) => transcript);
    const agentTurns = dialogue.turns.filter((turn) => turn.speaker === 'agent').map((turn) => turn.text);
    expect(spoken).toEqual(agentTurns);
    expect(demodulate(soundOf(client.events)).map(({ text, intact }) => ({ text, intact }))).toEqual(
      agentTurns.map((text) => ({ text, intact: true })),
    );
    const calls = client.events.filter(
      ({ type, item }) => type === 'response.output_item.done' && item.type === 'function_call',
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]?.item).toMatchObject({
      name: 'end_call',
      status: 'completed',
      arguments: '{}',
      call_id: expect.stringMatching(/^call_/),
    });
    expect(provider.requests.at(-1)).toMatchObject({
      route: 'realtime',
      status: 101,
      dialogueId: dialogue.id,
      responses: agentTurns.length,
    });
  });

  it('tells of a turn by the clock of the appended audio: started, stopped, committed, item, response, transcription', async () => {
    await begin({ turn_detection: { type: 'server_vad', prefix_padding_ms: 100, silence_duration_ms: 400 } });
    const text = callerTurns()[0]!;
    client.append(new Int16Array(8_000));
    client.say(text);
    const started = await client.next('input_audio_buffer.speech_started');
    expect(started.audio_start_ms).toBe(900);
    const done = client.next('response.done');
    await done;
    const completed =
      client.events.find(({ type }) => type.endsWith('transcription.completed')) ??
      (await client.next('conversation.item.input_audio_transcription.completed'));
    expect(completed).toMatchObject({
      item_id: started.item_id,
      content_index: 0,
      transcript: text,
      usage: { type: 'duration' },
    });
    const stopped = client.events.find(({ type }) => type === 'input_audio_buffer.speech_stopped');
    expect(stopped).toMatchObject({ item_id: started.item_id, audio_end_ms: 1_000 + modulate(text).length / 8 + 400 });
    const types = client.events.map(({ type }) => type);
    const order = [
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_audio.delta',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.done',
    ];
    const places = order.map((type) => types.indexOf(type));
    expect(places).toEqual(places.toSorted((left, right) => left - right));
    expect(places).not.toContain(-1);
    const added = client.events.filter(({ type }) => type === 'conversation.item.added');
    expect(added.map(({ previous_item_id }) => previous_item_id)).toEqual([null, started.item_id]);
  });

  it('says a greeting word by word however it is marked, and nothing for a text that nobody can say', async () => {
    await begin();
    for (const instructions of ['Say exactly: שלום, בית בטוח.', 'Greet the caller with «שלום, בית בטוח.» and wait.']) {
      client.send({ type: 'response.create', response: { instructions } });
      expect(await client.next('response.output_audio_transcript.done')).toMatchObject({
        transcript: 'שלום, בית בטוח.',
      });
      await client.next('response.done');
    }
    client.send(sayExactly('…'));
    expect((await client.next('response.done')).response).toMatchObject({ status: 'completed', output: [] });
  });

  it('sends deltas of 200 ms whose transcript adds up to the speech', async () => {
    await begin();
    const text = 'hello there, this is a sentence of some length about nothing at all';
    client.send(sayExactly(text));
    await client.next('response.done');
    const deltas = client.events.filter(({ type }) => type === 'response.output_audio.delta');
    expect(deltas.slice(0, -1).every(({ delta }) => Buffer.from(delta, 'base64').length === 1_600)).toBe(true);
    expect(soundOf(deltas)).toEqual(modulate(text));
    const words = client.events.filter(({ type }) => type === 'response.output_audio_transcript.delta');
    expect(words.map(({ delta }) => delta).join('')).toBe(text);
  });

  it('asks again, in the language of the caller, for what is in no dialogue', async () => {
    await begin();
    client.say('משהו אחר לגמרי');
    expect((await client.next('response.output_audio_transcript.done')).transcript).toMatch(/^סליחה/);
    await client.next('response.done');
    client.say('something else');
    expect((await client.next('response.output_audio_transcript.done')).transcript).toMatch(/^Sorry/);
  });

  it('says nothing after the last words of a caller who hangs up', async () => {
    await begin();
    const hangsUp = dialogues.find(({ id }) => id === 'he-plumbing')!;
    client.say(hangsUp.turns.at(-1)!.text);
    expect((await client.next('response.done')).response).toMatchObject({ status: 'completed', output: [] });
  });

  it('goes on in the middle of a dialogue that a new session is told', async () => {
    await begin();
    const roles = { agent: 'assistant', caller: 'user' } as const;
    for (const [at, turn] of dialogue.turns.slice(0, 4).entries()) {
      const type = turn.speaker === 'agent' ? 'output_text' : 'input_text';
      const item = {
        id: `seed_${at}`,
        type: 'message',
        role: roles[turn.speaker],
        content: [{ type, text: turn.text }],
      };
      client.send({ type: 'conversation.item.create', item });
    }
    client.send({ type: 'response.create' });
    expect((await client.next('response.output_audio_transcript.done')).transcript).toBe(dialogue.turns[4]!.text);
  });

  it('is interrupted by a caller who speaks, and truncates what was not heard', async () => {
    const slow = await startAiProvider({ dialogues, apiKey: API_KEY, deltaIntervalMs: 5 });
    const other = await connect(slow);
    other.send(sessionUpdate());
    other.send({
      type: 'response.create',
      response: { instructions: `Say exactly: ${'a long greeting '.repeat(30)}` },
    });
    const delta = await other.next('response.output_audio.delta');
    other.say(callerTurns()[0]!);
    const done = await other.next('response.done');
    expect(done.response).toMatchObject({
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'turn_detected' },
    });
    expect(done.response.output).toMatchObject([{ status: 'incomplete', role: 'assistant' }]);
    const madeMs = soundOf(other.events).length / 8;
    const truncate = { type: 'conversation.item.truncate', item_id: delta.item_id, content_index: 0 };
    other.send({ ...truncate, event_id: 'mine', audio_end_ms: 20_000 });
    expect((await other.next('error')).error).toMatchObject({
      code: 'invalid_value',
      param: 'audio_end_ms',
      event_id: 'mine',
    });
    other.send({ ...truncate, audio_end_ms: Math.min(200, madeMs) });
    expect(await other.next('conversation.item.truncated')).toMatchObject({
      item_id: delta.item_id,
      audio_end_ms: 200,
    });
    other.close();
    await slow.close();
  });

  it('cancels a response on request, and says so when there is none', async () => {
    await begin();
    client.send({ type: 'response.cancel' });
    expect((await client.next('error')).error.code).toBe('response_cancel_not_active');
    client.send(sayExactly('a long greeting '.repeat(40)));
    client.send(sayExactly('another'));
    client.send({ type: 'response.cancel' });
    expect((await client.next('error')).error.code).toBe('conversation_already_has_active_response');
    expect((await client.next('response.done')).response.status_details).toMatchObject({ reason: 'client_cancelled' });
  });

  it('without turn detection answers only when it is told to', async () => {
    await begin({ turn_detection: null });
    client.say(callerTurns()[0]!);
    client.send({ type: 'input_audio_buffer.commit' });
    const committed = await client.next('input_audio_buffer.committed');
    expect(client.events.some(({ type }) => type.includes('speech_'))).toBe(false);
    const completed = await client.next('conversation.item.input_audio_transcription.completed');
    expect(completed).toMatchObject({ item_id: committed.item_id, transcript: callerTurns()[0] });
    expect(client.events.some(({ type }) => type === 'response.created')).toBe(false);
    client.send({ type: 'response.create' });
    expect((await client.next('response.output_audio_transcript.done')).transcript).toBe(dialogue.turns[2]!.text);
    client.send({ type: 'input_audio_buffer.commit' });
    expect((await client.next('error')).error.code).toBe('input_audio_buffer_commit_empty');
  });

  it('keeps a turn together over a pause that is shorter than the silence of its settings', async () => {
    await begin({ turn_detection: { type: 'server_vad', silence_duration_ms: 600 } });
    client.append(
      Int16Array.from([...modulate('one'), ...new Int16Array(4_000), ...modulate('two'), ...new Int16Array(6_000)]),
    );
    expect((await client.next('conversation.item.input_audio_transcription.completed')).transcript).toBe('one two');
    expect(client.events.filter(({ type }) => type === 'input_audio_buffer.committed')).toHaveLength(1);
  });

  it('marks a turn that arrived damaged', async () => {
    await begin();
    const samples = modulate(callerTurns()[0]!);
    client.append(Int16Array.from([...samples.subarray(0, 800), ...samples.subarray(960), ...new Int16Array(8_000)]));
    expect((await client.next('conversation.item.input_audio_transcription.completed')).transcript).toContain('\uFFFD');
  });
});
