import { describe, expect, it } from 'vitest';
import { plan } from '../testing/examples.ts';
import { readServerEvent, seedItem, sessionUpdate } from './openai-shapes.ts';

const read = (event: object) => readServerEvent(JSON.stringify({ event_id: 'e1', ...event }));

describe('an event of the session', () => {
  it.each([
    [{ type: 'session.updated', session: {} }, { kind: 'updated' }],
    [
      { type: 'input_audio_buffer.speech_started', item_id: 'i1', audio_start_ms: 140 },
      { kind: 'caller_started', itemId: 'i1', atMs: 140 },
    ],
    [
      { type: 'input_audio_buffer.speech_started', item_id: 'i1', audio_start_ms: 86_400_000 },
      { kind: 'caller_started', itemId: 'i1', atMs: 86_400_000 },
    ],
    [
      { type: 'input_audio_buffer.speech_started', item_id: 'i1', audio_start_ms: 86_400_001 },
      { kind: 'caller_started', itemId: 'i1', atMs: null },
    ],
    [
      { type: 'input_audio_buffer.speech_started', item_id: 'i1', audio_start_ms: 1e300 },
      { kind: 'caller_started', itemId: 'i1', atMs: null },
    ],
    [
      { type: 'input_audio_buffer.speech_stopped', item_id: 'i1', audio_end_ms: 900 },
      { kind: 'caller_stopped', itemId: 'i1' },
    ],
    [
      { type: 'conversation.item.input_audio_transcription.delta', item_id: 'i1', content_index: 0, delta: 'Hel' },
      { kind: 'caller_text', itemId: 'i1', text: 'Hel', isFinal: false },
    ],
    [
      {
        type: 'conversation.item.input_audio_transcription.completed',
        item_id: 'i1',
        content_index: 0,
        transcript: '',
      },
      { kind: 'caller_text', itemId: 'i1', text: '', isFinal: true },
    ],
    [
      { type: 'conversation.item.input_audio_transcription.failed', item_id: 'i1', error: { code: 'x' } },
      { kind: 'caller_text_failed', itemId: 'i1' },
    ],
    [
      { type: 'conversation.item.added', previous_item_id: 'i0', item: { id: 'i1', type: 'message', role: 'user' } },
      { kind: 'item_added', itemId: 'i1', previousItemId: 'i0', speaker: 'caller' },
    ],
    [
      { type: 'conversation.item.added', previous_item_id: null, item: { id: 'i1', type: 'function_call' } },
      { kind: 'item_added', itemId: 'i1', previousItemId: null, speaker: null },
    ],
    [{ type: 'response.created', response: { id: 'r1' } }, { kind: 'agent_response_started' }],
    [
      { type: 'response.output_audio.delta', response_id: 'r1', item_id: 'i1', delta: '/////////////w==' },
      { kind: 'agent_audio', itemId: 'i1', payload: '/////////////w==', ms: 1 },
    ],
    [
      { type: 'response.output_audio.done', item_id: 'i1' },
      { kind: 'agent_audio_done', itemId: 'i1' },
    ],
    [
      { type: 'response.output_audio_transcript.delta', item_id: 'i1', delta: 'Sha' },
      { kind: 'agent_text', itemId: 'i1', text: 'Sha', isFinal: false },
    ],
    [
      { type: 'response.output_audio_transcript.done', item_id: 'i1', transcript: 'Shalom' },
      { kind: 'agent_text', itemId: 'i1', text: 'Shalom', isFinal: true },
    ],
    [
      { type: 'response.output_item.done', item: { type: 'function_call', name: 'end_call', status: 'completed' } },
      { kind: 'agent_leaves' },
    ],
    [{ type: 'response.output_item.done', item: { type: 'function_call', name: 'wire_money' } }, null],
    [
      { type: 'response.output_item.done', item: { type: 'function_call', name: 'end_call', status: 'incomplete' } },
      null,
    ],
    [
      { type: 'response.done', response: { status: 'completed' } },
      { kind: 'agent_response_done', hasFailed: false },
    ],
    [
      { type: 'response.done', response: { status: 'cancelled' } },
      { kind: 'agent_response_done', hasFailed: false },
    ],
    [
      { type: 'response.done', response: { status: 'failed' } },
      { kind: 'agent_response_done', hasFailed: true },
    ],
    [
      { type: 'error', error: { type: 'invalid_request_error', code: 'session_expired' } },
      { kind: 'error', code: 'session_expired', eventId: null },
    ],
    [
      { type: 'error', error: { type: 'server_error', code: null } },
      { kind: 'error', code: 'server_error', eventId: null },
    ],
    [{ type: 'rate_limits.updated', rate_limits: [] }, null],
    [{ type: 'constructor' }, null],
  ])('%j means %j', (event, meaning) => {
    expect(read(event)).toEqual(meaning);
  });

  it.each([
    ['no JSON', '{"type":'],
    ['no object', '[]'],
    ['no type', '{}'],
    ['audio that is no base64', '{"type":"response.output_audio.delta","item_id":"i1","delta":"\\"},{"}'],
    ['an item without an id', '{"type":"response.output_audio.done","item_id":""}'],
    ['a time before the beginning', '{"type":"input_audio_buffer.speech_started","item_id":"i","audio_start_ms":-1}'],
  ])('is refused with %s', (_name, frame) => {
    expect(() => readServerEvent(frame)).toThrow(/./);
  });

  it('says nothing of an item that we wrote into the session ourselves', () => {
    const { item } = seedItem({ speaker: 'caller', text: 'Hello', startMs: 0 }, 3) as unknown as { item: object };
    expect(read({ type: 'conversation.item.added', previous_item_id: null, item })).toBeNull();
  });
});

describe('the first event of a session', () => {
  it('tells the words of the business to the models that take them', () => {
    const session = { ...plan.agent, keywords: ['Homecare'], history: [] };
    expect(sessionUpdate(session, 'gpt-transcribe')).toMatchObject({
      session: { audio: { input: { transcription: { keywords: ['Homecare'] } } } },
    });
    expect(JSON.stringify(sessionUpdate(session, 'gpt-realtime-whisper'))).not.toContain('keywords');
  });

  it('has the GA form: mu-law both ways, transcription in the language of the business, its own turns, one tool', () => {
    expect(sessionUpdate({ ...plan.agent, language: 'he-IL', history: [] }, 'gpt-transcribe')).toEqual({
      type: 'session.update',
      session: {
        type: 'realtime',
        instructions: 'Be kind.\n\nSpeak the language "he-IL" unless the caller asks for another one.',
        output_modalities: ['audio'],
        audio: {
          input: {
            format: { type: 'audio/pcmu' },
            transcription: { model: 'gpt-transcribe', language: 'he' },
            turn_detection: { type: 'server_vad', create_response: true, interrupt_response: true },
          },
          output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
        },
        tools: [
          {
            type: 'function',
            name: 'end_call',
            description: expect.any(String),
            parameters: { type: 'object', properties: {} },
          },
        ],
        tool_choice: 'auto',
      },
    });
  });
});
