import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveTurn } from '@pipeline/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AgentEvent } from '../agent.ts';
import { listeningLogger, plan, type LogLine } from '../testing/examples.ts';
import { createOpenAiAgent } from './openai-agent.ts';

type Frame = { readonly type: string; readonly [key: string]: unknown };

let server: WebSocketServer;
let baseUrl: string;
let lines: LogLine[];
let events: AgentEvent[];

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  // Listening on TCP, so the address is no path.
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  lines = [];
  events = [];
});
afterEach(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

/** A session against the server of the test, the server's end of it and what arrived there. */
type Options = { history?: LiveTurn[]; readyDeadlineMs?: number; silenceAfterMs?: number; deafAfterMs?: number };
function connect({ history = [], ...options }: Options = {}) {
  const agent = createOpenAiAgent({
    baseUrl,
    apiKey: 'sk-of-the-test',
    model: 'gpt-realtime 2',
    transcriptionModel: 'gpt-transcribe',
    logger: listeningLogger(lines),
    ...options,
  });
  const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const reported = events;
  const session = { ...plan.agent, history };
  const connection = agent.connect(session, (event) => reported.push(event));
  const opened = accepted.then(([socket, request]) => {
    const frames: Frame[] = [];
    socket.on('message', (frame: Buffer) => frames.push(JSON.parse(frame.toString()) as Frame));
    return { socket, request, frames, say: (event: object) => socket.send(JSON.stringify(event)) };
  });
  return { connection, opened };
}

async function connectReady(options: Options = {}) {
  const { connection, opened } = connect(options);
  const peer = await opened;
  await expect.poll(() => peer.frames).toHaveLength(1);
  peer.say({ type: 'session.updated', session: {} });
  await expect.poll(() => events).toEqual([{ kind: 'agent_ready' }]);
  return { connection, ...peer };
}

/** Why the `count`th session of the test was lost, once it is. */
const lossOf = (count: number) =>
  vi.waitFor(() => {
    const reasons = events.flatMap((event) => (event.kind === 'agent_lost' ? [event.reason] : []));
    if (reasons.length < count) throw new Error('not lost yet');
    return reasons[count - 1];
  }, 20_000);

describe('a session', () => {
  it('opens in the GA way and is ready when its settings are', async () => {
    const { request, frames } = await connectReady();
    expect(request.url).toBe('/v1/realtime?model=gpt-realtime%202');
    expect(request.headers.authorization).toBe('Bearer sk-of-the-test');
    expect(request.headers).not.toHaveProperty('openai-beta');
    expect(request.headers).not.toHaveProperty('sec-websocket-extensions');
    expect(frames.map((frame) => frame.type)).toEqual(['session.update']);
  });

  it('sends what the call asks for', async () => {
    const { connection, frames } = await connectReady();
    connection.append('AAAA');
    connection.speak('Hello.');
    connection.speak(null);
    connection.truncate('i1', 250);
    connection.commit();
    await expect.poll(() => frames).toHaveLength(6);
    expect(frames.slice(1)).toEqual([
      { type: 'input_audio_buffer.append', audio: 'AAAA' },
      { type: 'response.create', response: { instructions: 'Say exactly: Hello.' } },
      { type: 'response.create' },
      { type: 'conversation.item.truncate', item_id: 'i1', content_index: 0, audio_end_ms: 250 },
      { type: 'input_audio_buffer.commit' },
    ]);
  });

  it('that replaces a lost one is told what was said', async () => {
    const { frames } = await connectReady({
      history: [
        { speaker: 'agent', text: 'Hello.', startMs: 0 },
        { speaker: 'caller', text: 'Hi.', startMs: 900 },
      ],
    });
    await expect.poll(() => frames).toHaveLength(3);
    expect(frames.slice(1)).toMatchObject([
      { item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] } },
      { item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi.' }] } },
    ]);
  });

  it('passes over what is no event of the API and goes on', async () => {
    const { socket, say } = await connectReady();
    socket.send('nonsense');
    socket.send(Buffer.from([1, 2]));
    say({ type: 'response.output_audio.delta', item_id: 'i1', delta: '***' });
    say({ type: 'error', error: { type: 'invalid_request_error', code: 'item_not_found', message: 'a secret' } });
    say({ type: 'session.updated', session: {} });
    say({ type: 'response.created' });
    await expect.poll(() => events.at(-1)).toEqual({ kind: 'agent_response_started' });
    expect(events).toHaveLength(2);
    expect(lines.map((line) => line.level)).toEqual(['warn', 'warn', 'warn']);
    expect(JSON.stringify(lines)).not.toContain('a secret');
  });

  it('is lost once when its socket closes, and silent afterwards', async () => {
    const { connection, socket, say } = await connectReady();
    say({ type: 'response.created' });
    socket.terminate();
    expect(await lossOf(1)).toBe('closed_1006');
    connection.append('AAAA');
    connection.close();
    expect(events.filter((event) => event.kind === 'agent_lost')).toHaveLength(1);
  });

  it('is lost when it is refused, when its settings are, or when nothing comes', async () => {
    const { say } = await connect().opened;
    say({ type: 'error', error: { code: 'model_not_found' } });
    expect(await lossOf(1)).toBe('model_not_found');

    server.options.verifyClient = (_request, decide) => decide(false, 401);
    connect();
    expect(await lossOf(2)).toBe('http_401');
    server.options.verifyClient = () => true;

    connect({ readyDeadlineMs: 50 });
    expect(await lossOf(3)).toBe('not_ready');

    server.close();
    connect().opened.catch(() => undefined);
    expect(await lossOf(4)).toBe('ECONNREFUSED');
  });

  it('is lost as deaf, late, when it answers no more although its socket does, and not while it answers', async () => {
    const { socket, frames, say } = await connect({ deafAfterMs: 90 }).opened;
    const answer = (): void => say({ type: 'session.updated', session: {} });
    socket.on('message', answer);
    const questions = () => frames.filter((frame) => frame['event_id'] === 'still_there');
    await vi.waitFor(() => expect(questions().length).toBeGreaterThan(3), { timeout: 10_000 });
    expect(questions()[0]).toEqual({ type: 'session.update', event_id: 'still_there', session: { type: 'realtime' } });
    expect(events).toEqual([{ kind: 'agent_ready' }]);
    socket.off('message', answer);
    expect(await lossOf(1)).toBe('deaf');
    expect(events.at(-1)).toMatchObject({ isLate: true });
  });

  it('that takes no such question is asked once, without a word in the log, and goes on', async () => {
    const { connection, frames, say } = await connectReady({ deafAfterMs: 90 });
    await vi.waitFor(() => expect(frames).toHaveLength(2));
    say({ type: 'error', error: { type: 'invalid_request_error', code: 'unknown', event_id: 'still_there' } });
    say({ type: 'response.created' });
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ kind: 'agent_response_started' }));
    expect(lines).toEqual([]);
    connection.close();
  });

  it('is given silence when the caller’s audio stops in the middle of words, and its times stay the caller’s', async () => {
    const { connection, frames, say } = await connectReady({ silenceAfterMs: 60 });
    connection.append(Buffer.alloc(800, 0x55).toString('base64'));
    say({ type: 'input_audio_buffer.speech_started', item_id: 'i1', audio_start_ms: 40 });
    await expect.poll(() => frames).toHaveLength(3);
    const bytes = frames.slice(1).map((frame) => Buffer.from(String(frame['audio']), 'base64'));
    expect(bytes.map((audio) => [audio.length >= 800, new Set(audio)])).toEqual([
      [true, new Set([0x55])],
      [true, new Set([0xff])],
    ]);
    say({ type: 'input_audio_buffer.speech_stopped', item_id: 'i1', audio_end_ms: 600 });
    say({ type: 'input_audio_buffer.speech_started', item_id: 'i2', audio_start_ms: 1_150 });
    await expect.poll(() => events.at(-1)).toEqual({ kind: 'caller_started', itemId: 'i2', atMs: 150 });
    connection.close();
  });

  it('reports nothing once it was closed', async () => {
    const { connection, socket, say } = await connectReady();
    connection.close();
    say({ type: 'response.created' });
    await once(socket, 'close');
    expect(events).toEqual([{ kind: 'agent_ready' }]);
  });
});
