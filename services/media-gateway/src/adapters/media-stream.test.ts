import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Fastify from 'fastify';
import { WebSocket, type ClientOptions } from 'ws';
import type { RunningCall } from '../running-call.ts';
import { ACCOUNT_SID, CALL_SID, silentLogger } from '../testing/examples.ts';
import { createTestGateway, type TestGateway } from '../testing/gateway.ts';
import { addMediaStream } from './media-stream.ts';
import { formRequest, frames, MEDIA_URL, signatureOf, voiceForm } from '../testing/twilio.ts';

const SIGNED = signatureOf(MEDIA_URL);
const FRAME = Buffer.alloc(160, 0xff).toString('base64');

let gateway: TestGateway;
let base: string;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  gateway = await createTestGateway();
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  // Listening on TCP, so the address is no path.
  base = `ws://127.0.0.1:${(gateway.app.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await gateway.app.close();
});

/** The token of a call that was answered just now. */
async function answer(): Promise<string> {
  const { body } = await gateway.app.inject(formRequest('/twilio/voice', voiceForm));
  return /name="token" value="([^"]+)"/.exec(body)?.[1] ?? 'none';
}

/** An open connection, its closing code to come and everything that it was sent. */
async function open(signature: string = SIGNED, options: ClientOptions = {}) {
  const socket = new WebSocket(`${base}/twilio/media`, { headers: { 'x-twilio-signature': signature }, ...options });
  sockets.push(socket);
  const received: Record<string, unknown>[] = [];
  socket.on('message', (frame: Buffer) => received.push(JSON.parse(frame.toString()) as Record<string, unknown>));
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  const send = (...sent: unknown[]) => {
    for (const frame of sent)
      socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  };
  return { socket, send, closed, received };
}

/** A connection that has become the call's media stream, and the agent's session behind it. */
async function openCall() {
  const token = await answer();
  const stream = await open();
  stream.send(frames.connected, frames.start(token));
  const session = await vi.waitFor(() => {
    const [first] = gateway.agent.sessions;
    if (first === undefined) throw new Error('no session yet');
    return first;
  });
  session.report({ kind: 'agent_ready' });
  return { ...stream, session, token };
}

const statusOf = async (path: string, headers: Record<string, string>): Promise<number> => {
  const socket = new WebSocket(`${base}${path}`, { headers });
  sockets.push(socket);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  return response.statusCode;
};

const ended = () => vi.waitFor(() => expect(gateway.ended).toHaveLength(1));

describe('the handshake', () => {
  it.each([
    ['without a signature', '/twilio/media', {}, 403],
    ['with a wrong one', '/twilio/media', { 'x-twilio-signature': 'AAAA' }, 403],
    [
      'signed for https',
      '/twilio/media',
      { 'x-twilio-signature': signatureOf('https://gateway.test/twilio/media') },
      403,
    ],
    ['signed with a slash', '/twilio/media', { 'x-twilio-signature': signatureOf(`${MEDIA_URL}/`) }, 403],
    ['signed with an empty token', '/twilio/media', { 'x-twilio-signature': signatureOf(MEDIA_URL, [], '') }, 403],
    ['with a query', '/twilio/media?token=x', { 'x-twilio-signature': SIGNED }, 403],
    ['with an escaped path', '/twilio/%6dedia', { 'x-twilio-signature': SIGNED }, 403],
    ['on another path', '/twilio/other', { 'x-twilio-signature': SIGNED }, 404],
    ['out of the path', '/twilio/media/../../etc', { 'x-twilio-signature': SIGNED }, 404],
  ])('is refused %s', async (_name, path, headers: Record<string, string>, status) => {
    expect(await statusOf(path, headers)).toBe(status);
    expect(gateway.activeCalls()).toBe(0);
  });

  it('is refused once the process stops', async () => {
    gateway.stop();
    expect(await statusOf('/twilio/media', { 'x-twilio-signature': SIGNED })).toBe(503);
  });

  it('takes no compression', async () => {
    const { socket } = await open(SIGNED, { perMessageDeflate: true });
    expect(socket.extensions).toBe('');
  });
});

describe('a connection', () => {
  const big = Buffer.alloc(70_000, 0x20).toString();
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const badFormat = { mediaFormat: { encoding: 'audio/l16', sampleRate: 16_000, channels: 1 } };
  const beforeStart: [string, unknown[], number, string][] = [
    ['whose first frame is not connected', [frames.start('x')], 1008, 'not_connected_first'],
    ['that sends media before start', [frames.connected, frames.media(1, FRAME)], 1008, 'before_start'],
    ['that sends no JSON', ['{"event":'], 1008, 'bad_json'],
    ['that sends JSON 10,000 deep', [deep], 1008, 'bad_json'],
    ['that sends a number', ['1e999'], 1008, 'bad_json'],
    ['that sends binary frames', [Buffer.from([1, 2, 3])], 1003, 'binary'],
    ['that sends 70 kB', [big], 1009, 'frame'],
    ['that stays silent', [], 1008, 'no_start'],
    ['that never starts', [frames.connected], 1008, 'no_start'],
    ['with a token that nobody gave', [frames.connected, frames.start('x')], 1008, 'token'],
    ['without a token', [frames.connected, frames.start('x', { customParameters: {} })], 1008, 'bad_start'],
    [
      'of another account',
      [frames.connected, frames.start('x', { accountSid: `AC${'9'.repeat(32)}` })],
      1008,
      'other_account',
    ],
    ['with a malformed CallSid', [frames.connected, frames.start('x', { callSid: 'CA1' })], 1008, 'bad_start'],
    ['with two ideas of its stream', [frames.connected, frames.start('x', { streamSid: 'MZ1' })], 1008, 'bad_start'],
    ['with another encoding', [frames.connected, frames.start('x', badFormat)], 1008, 'bad_start'],
  ];
  it.each(beforeStart)(
    '%s is closed and counted, and the call that waits is not touched',
    async (_name, sent, code, reason) => {
      await answer();
      const stream = await open();
      stream.send(...sent);
      expect(await stream.closed).toBe(code);
      expect(gateway.rejected).toEqual([reason]);
      expect([gateway.activeCalls(), gateway.agent.sessions.length]).toEqual([1, 0]);
    },
  );

  it('with invalid UTF-8 is closed', async () => {
    const stream = await open();
    stream.socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    expect(await stream.closed).toBe(1007);
  });

  it('in more fragments than a frame can need is closed', async () => {
    const stream = await open();
    for (let index = 0; index < 20; index += 1) stream.socket.send('a', { fin: false });
    expect([await stream.closed, gateway.rejected]).toEqual([1008, ['frame']]);
  });

  it('with a token of another call, or one that was used, is closed', async () => {
    const { token } = await openCall();
    for (const callSid of [CALL_SID, `CA${'9'.repeat(32)}`]) {
      const second = await open();
      second.send(frames.connected, frames.start(token, { callSid }));
      expect(await second.closed).toBe(1008);
    }
    expect(gateway.activeCalls()).toBe(1);
  });
});

describe('the media stream of a call', () => {
  it('brings the caller to the agent and the agent to the caller, untouched', async () => {
    const { send, session, received } = await openCall();
    const payload = Buffer.from(Array.from({ length: 160 }, (_, index) => index)).toString('base64');
    send(frames.media(2, payload), { event: 'dtmf', dtmf: { digit: '4' } }, { event: 'news' }, frames.media(3, FRAME));
    await vi.waitFor(() =>
      expect(session.told).toEqual(['speak Hello there.', `append ${payload}`, `append ${FRAME}`]),
    );
    session.report({ kind: 'agent_audio', itemId: 'a1', payload, ms: 20 });
    session.report({ kind: 'caller_started', itemId: 'c1', atMs: 0 });
    const streamSid = frames.start('').streamSid;
    await vi.waitFor(() =>
      expect(received).toEqual([
        { event: 'media', streamSid, media: { payload } },
        { event: 'mark', streamSid, mark: { name: '1:20:a1' } },
        { event: 'clear', streamSid },
      ]),
    );
  });

  it('keeps frames that come while its token is looked up', async () => {
    const token = await answer();
    const stream = await open();
    stream.send(frames.connected, frames.start(token), frames.media(2, FRAME), frames.stop(3));
    await ended();
    expect(gateway.broker.events[0]?.data).toMatchObject({
      liveTranscript: [],
      call: { endedReason: 'stream_stopped' },
    });
  });

  it('plays a frame once although it comes twice, and goes on over a gap', async () => {
    const { send, session } = await openCall();
    send(frames.media(2, FRAME), frames.media(2, FRAME), frames.media(9, FRAME), frames.media(3, FRAME));
    send(frames.mark(10, 'foreign'));
    await vi.waitFor(() => expect(session.told.filter((told) => told.startsWith('append'))).toHaveLength(2));
  });

  const invalid: [string, unknown, string][] = [
    ['a second start', { ...frames.start('x'), sequenceNumber: '9' }, 'second_start'],
    ['another stream', { ...frames.media(9, FRAME), streamSid: `MZ${'9'.repeat(32)}` }, 'other_stream'],
    ['audio that is no base64', frames.media(9, '***'), 'bad_payload'],
    ['base64 of an odd length', frames.media(9, 'AAAAA'), 'bad_payload'],
    ['no audio where audio should be', { ...frames.media(9, ''), media: null }, 'bad_media'],
    ['a sequence number that is none', { ...frames.media(9, FRAME), sequenceNumber: 'NaN' }, 'bad_sequence'],
    ['a negative sequence number', { ...frames.media(9, FRAME), sequenceNumber: '-1' }, 'bad_sequence'],
    [
      'a sequence number beyond all numbers',
      { ...frames.media(9, FRAME), sequenceNumber: '9007199254740992' },
      'bad_sequence',
    ],
    ['a mark without a name', { ...frames.mark(9, ''), mark: {} }, 'bad_mark'],
    ['bad JSON', 'nonsense', 'bad_json'],
  ];
  it.each(invalid)('ends with its call at %s', async (_name, frame, reason) => {
    const { send, closed, session } = await openCall();
    send(frame);
    expect(await closed).toBe(1008);
    await ended();
    expect([gateway.ended, gateway.rejected]).toEqual([['media_invalid'], [reason]]);
    expect(session.told.at(-1)).toBe('close');
  });

  it('ignores an empty frame and the other track', async () => {
    const { send, session } = await openCall();
    const outbound = { ...frames.media(3, FRAME), media: { track: 'outbound', payload: FRAME } };
    send(frames.media(2, ''), outbound, frames.media(4, FRAME));
    await vi.waitFor(() => expect(session.told.filter((told) => told.startsWith('append'))).toHaveLength(1));
  });

  it('ends its call once by a stop, a close and the callback together, and says so in the log', async () => {
    const { send, socket, session } = await openCall();
    session.report({ kind: 'agent_text', itemId: 'a1', text: 'Hello there.', isFinal: true });
    send(frames.stop(2));
    socket.close();
    const form = voiceForm.map(([key, value]) => [key, key === 'CallStatus' ? 'completed' : value] as const);
    const noted = await gateway.app.inject(formRequest('/twilio/status', form));
    await ended();
    expect([noted.statusCode, gateway.broker.events.length]).toEqual([204, 1]);
    expect(gateway.broker.events[0]?.data.liveTranscript).toEqual([
      { speaker: 'agent', text: 'Hello there.', startMs: 0 },
    ]);
    const lines = gateway.lines.filter((line) => line.message.startsWith('[CALL]'));
    expect(lines.map((line) => line.message)).toEqual([
      `[CALL] ✅ Call ended for ${CALL_SID}: the pipeline will handle everything (transcript, summary, fields, webhook)`,
    ]);
    expect(lines[0]?.fields).toMatchObject({ callSid: CALL_SID, businessId: 'biz_1', count: 1 });
    expect(gateway.lines.some((line) => /Hello there|\+972|\+1555/.test(JSON.stringify(line)))).toBe(false);
  });

  it('that breaks off ends its call', async () => {
    const { socket } = await openCall();
    socket.terminate();
    await ended();
    expect(gateway.ended).toEqual(['stream_closed']);
  });
});

describe('a connection whose token is still looked up', () => {
  /** A route of its own, behind which the test answers the look-up when it wants to. */
  async function lookUp() {
    const app = Fastify();
    const answered = Promise.withResolvers<RunningCall | null>();
    const inputs: string[] = [];
    const rejected: string[] = [];
    await addMediaStream(app, '/twilio/media', {
      accountSid: ACCOUNT_SID,
      isSigned: () => true,
      isOpen: () => true,
      maxStreams: 1,
      openStream: () => answered.promise,
      onRejected: (reason) => void rejected.push(reason),
      logger: silentLogger,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    base = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    const stream = await open();
    stream.send(frames.connected, frames.start('any'));
    // Only what a connection uses of a call.
    const call = { receive: (input: { kind: string }) => void inputs.push(input.kind) } as unknown as RunningCall;
    return { ...stream, app, inputs, rejected, answer: () => answered.resolve(call) };
  }

  it('hands its frames to the call in order, and tells it that the socket is gone already', async () => {
    const { app, send, socket, inputs, answer: resolve } = await lookUp();
    send(frames.media(2, FRAME), frames.stop(3));
    socket.close();
    await vi.waitFor(() => expect(app.websocketServer.clients.size).toBe(0));
    resolve();
    await vi.waitFor(() => expect(inputs).toEqual(['media_audio', 'media_stopped', 'media_closed']));
    await app.close();
  });

  it('keeps no more than 5 s of audio', async () => {
    const { app, send, closed, rejected } = await lookUp();
    for (let sequence = 2; sequence < 260; sequence += 1) send(frames.media(sequence, FRAME));
    expect([await closed, rejected]).toEqual([1008, ['too_early']]);
    await app.close();
  });

  it('is the only one when there is room for one', async () => {
    const { app } = await lookUp();
    expect(await statusOf('/twilio/media', { 'x-twilio-signature': SIGNED })).toBe(503);
    await app.close();
  });
});

describe('a drain', () => {
  it('lets a call go on until the limit, then ends it and waits until it is published', async () => {
    const { closed } = await openCall();
    gateway.stop();
    await gateway.drain();
    expect([gateway.ended, gateway.broker.events.length, await closed]).toEqual([['drain'], 1, 1000]);
  });
});
