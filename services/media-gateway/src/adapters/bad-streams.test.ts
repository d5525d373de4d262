import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CALL_SID } from '../testing/examples.ts';
import { listeningGateway, SIGNED, type ListeningGateway } from '../testing/listening.ts';
import { frames, MEDIA_URL, signatureOf } from '../testing/twilio.ts';

/** Bad inputs B25 to B42: whatever knocks at the media stream, over real sockets. */

const FRAME = Buffer.alloc(160, 0xff).toString('base64');
const MEDIA = '/twilio/media';

let gateway: ListeningGateway;
beforeEach(async () => {
  gateway = await listeningGateway();
});
afterEach(() => gateway.close());

const appended = (told: readonly string[]): number => told.filter((line) => line.startsWith('append')).length;
const frame = (changes: object, sequence = 9): object => ({ ...frames.media(sequence, FRAME), ...changes });
const mediaOf = (changes: object): object => frame({ media: { ...frames.media(9, FRAME).media, ...changes } });

describe('a handshake is refused', () => {
  const signed = (url: string, token?: string) => ({ 'x-twilio-signature': signatureOf(url, [], token) });
  it.each<[string, string, Record<string, string>, number, string]>([
    ['B25: without a signature', MEDIA, {}, 403, 'signature'],
    ['B25: with a wrong signature', MEDIA, { 'x-twilio-signature': 'AAAA' }, 403, 'signature'],
    ['B25: signed with an empty token', MEDIA, signed(MEDIA_URL, ''), 403, 'signature'],
    ['B25: signed with a foreign token', MEDIA, signed(MEDIA_URL, 'c'.repeat(32)), 403, 'signature'],
    ['B26: signed for https', MEDIA, signed('https://gateway.test/twilio/media'), 403, 'signature'],
    ['B26: signed with a slash behind', MEDIA, signed(`${MEDIA_URL}/`), 403, 'signature'],
    ['B26: with a query, which Twilio never sends', `${MEDIA}?token=x`, signed(MEDIA_URL), 403, 'signature'],
    ['B27: on an unknown path', '/twilio/other', signed(MEDIA_URL), 404, 'path'],
    ['B27: on an escaped path', '/twilio/%6dedia', signed(MEDIA_URL), 403, 'signature'],
    ['B27: out of the path', '/twilio/media/../../etc/passwd', signed(MEDIA_URL), 404, 'path'],
    ['B27: on the path of a webhook', '/twilio/voice', signed(MEDIA_URL), 404, 'path'],
  ])('%s', async (_name, path, headers, status, reason) => {
    expect(await gateway.refusedUpgrade(path, headers)).toBe(status);
    expect([gateway.rejected, gateway.activeCalls(), gateway.agent.sessions]).toEqual([[reason], 0, []]);
  });
});

describe('a connection that never becomes a media stream is closed, and the call that waits is not touched', () => {
  const start = (changes: object): object => frames.start('x', changes);
  const format = (changes: object): object =>
    start({ mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1, ...changes } });
  it.each<[string, unknown[], number, string]>([
    ['B28: first frame is start', [frames.start('x')], 1008, 'not_connected_first'],
    ['B28: first frame is media', [frames.media(1, FRAME)], 1008, 'not_connected_first'],
    ['B28: no start within the deadline', [frames.connected], 1008, 'no_start'],
    ['B29: a token that nobody gave', [frames.connected, start({})], 1008, 'token'],
    ['B29: no token', [frames.connected, start({ customParameters: {} })], 1008, 'bad_start'],
    ['B29: another account', [frames.connected, start({ accountSid: `AC${'9'.repeat(32)}` })], 1008, 'other_account'],
    ['B29: a call of no form', [frames.connected, start({ callSid: 'CA1' })], 1008, 'bad_start'],
    ['B31: media before start', [frames.connected, frames.media(1, FRAME)], 1008, 'before_start'],
    ['B31: stop before start', [frames.connected, frames.stop(1)], 1008, 'before_start'],
    [
      'B32: two names of its own stream',
      [frames.connected, start({ streamSid: `MZ${'9'.repeat(32)}` })],
      1008,
      'bad_start',
    ],
    ['B34: another encoding', [frames.connected, format({ encoding: 'audio/l16' })], 1008, 'bad_start'],
    ['B34: another rate', [frames.connected, format({ sampleRate: 16_000 })], 1008, 'bad_start'],
    ['B34: a rate as a text', [frames.connected, format({ sampleRate: '8000' })], 1008, 'bad_start'],
    ['B34: two channels', [frames.connected, format({ channels: 2 })], 1008, 'bad_start'],
    ['B37: a binary frame', [Buffer.from([1, 2, 3])], 1003, 'binary'],
    ['B37: JSON 10,000 deep', [`${'['.repeat(10_000)}${']'.repeat(10_000)}`], 1008, 'bad_json'],
    ['B37: a number beyond all numbers', ['1e999'], 1008, 'bad_json'],
    ['B37: no JSON', ['{"event":'], 1008, 'bad_json'],
    ['B37: a frame of 70 kB', [' '.repeat(70_000)], 1009, 'frame'],
    ['B40: an open socket that stays silent', [], 1008, 'no_start'],
  ])('%s', async (_name, sent, code, reason) => {
    await gateway.answer();
    const stream = await gateway.stream();
    stream.send(...sent);
    expect([await stream.closed, gateway.rejected]).toEqual([code, [reason]]);
    expect([gateway.activeCalls(), gateway.agent.sessions, gateway.broker.events]).toEqual([1, [], []]);
  });

  it('B29: a token that was used, or of another call, or too old', async () => {
    const { token } = await gateway.call();
    const other = `CA${'9'.repeat(32)}`;
    for (const callSid of [CALL_SID, other]) {
      const second = await gateway.stream();
      second.send(frames.connected, frames.start(token, { callSid }));
      expect(await second.closed).toBe(1008);
    }
    expect([gateway.rejected, gateway.activeCalls(), gateway.agent.sessions.length]).toEqual([
      ['token', 'token'],
      1,
      1,
    ]);
  });

  it('B37: text that is no UTF-8', async () => {
    const stream = await gateway.stream();
    stream.socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    expect([await stream.closed, gateway.rejected]).toEqual([1007, ['frame']]);
  });

  it('B38: the 17th fragment of a frame closes the socket', async () => {
    const socket = await rawUpgrade();
    const fragment = maskedFrame(0x00, Buffer.from('a'));
    socket.write(Buffer.concat([maskedFrame(0x01, Buffer.from('a')), ...Array.from({ length: 16 }, () => fragment)]));
    await once(socket, 'close');
    expect(gateway.rejected).toEqual(['frame']);
  });

  it('B38: 131,000 fragments of a byte without an end cost no memory', async () => {
    const socket = await rawUpgrade();
    const before = process.memoryUsage().rss;
    const fragment = maskedFrame(0x00, Buffer.from('a'));
    socket.write(maskedFrame(0x01, Buffer.from('a')));
    socket.write(Buffer.concat(Array.from({ length: 131_000 }, () => fragment)));
    await once(socket, 'close');
    expect(gateway.rejected).toEqual(['frame']);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_048_576);
    expect((await gateway.call()).socket.readyState).toBe(1);
  });

  it('B38: a frame that says to be a gigabyte is refused by its head', async () => {
    const socket = await rawUpgrade();
    const head = Buffer.alloc(14);
    head.writeUInt8(0x81, 0);
    head.writeUInt8(0xff, 1);
    head.writeBigUInt64BE(1_073_741_824n, 2);
    socket.write(head);
    await once(socket, 'close');
    expect(gateway.rejected).toEqual(['frame']);
  });

  it('B39: compression that is offered is not taken', async () => {
    const { socket } = await gateway.stream({
      perMessageDeflate: true,
      headers: { 'x-twilio-signature': SIGNED },
    });
    expect(socket.extensions).toBe('');
  });

  it('B40: a bare connection that sends nothing, or half a request, is cut', async () => {
    await gateway.close();
    gateway = await listeningGateway({ requestDeadlineMs: 300 });
    expect(await gateway.exchange('')).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(await gateway.exchange('POST /twilio/voice HTTP/1.1\r\nHost: x\r\n')).toMatch(/^HTTP\/1\.1 408 /);
    expect(new Set(gateway.rejected)).toEqual(new Set(['http']));
  });

  it('B41: no more media sockets than calls can have', async () => {
    await gateway.close();
    gateway = await listeningGateway({ config: { MAX_CALLS: 1 }, startDeadlineMs: 30_000 });
    await Promise.all(Array.from({ length: 51 }, () => gateway.stream()));
    expect(await gateway.refusedUpgrade(MEDIA, { 'x-twilio-signature': SIGNED })).toBe(503);
    expect(gateway.rejected).toEqual(['no_room']);
  });
});

describe('a media stream that breaks its protocol ends with its call, which is published once', () => {
  it.each<[string, unknown, string]>([
    ['B30: a second start', { ...frames.start('x'), sequenceNumber: '9' }, 'second_start'],
    ['B32: another stream', frame({ streamSid: `MZ${'9'.repeat(32)}` }), 'other_stream'],
    ['B32: no stream', frame({ streamSid: undefined }), 'other_stream'],
    ['B33: audio that is no base64', frames.media(9, '***'), 'bad_payload'],
    ['B33: base64 of an odd length', frames.media(9, 'AAAAA'), 'bad_payload'],
    ['B33: no audio where audio should be', frame({ media: null }), 'bad_media'],
    ['B33: audio as a number', mediaOf({ payload: 5 }), 'bad_payload'],
    ['B33: a megabyte of audio', frames.media(9, 'f39/'.repeat(262_144)), 'frame'],
    ['B35: a negative sequence number', frame({ sequenceNumber: '-1' }), 'bad_sequence'],
    ['B35: a sequence number of 2^53', frame({ sequenceNumber: '9007199254740992' }), 'bad_sequence'],
    ['B35: a sequence number that is none', frame({ sequenceNumber: 'NaN' }), 'bad_sequence'],
    ['B35: a sequence number that is no text', frame({ sequenceNumber: 9 }), 'bad_sequence'],
    ['B36: a time that is none', mediaOf({ timestamp: '-20' }), 'bad_timestamp'],
    ['B37: JSON that breaks off', '{"event":"media","media":{', 'bad_json'],
    ['B37: a mark without a name', { ...frames.mark(9, ''), mark: {} }, 'bad_mark'],
  ])('%s', async (_name, sent, reason) => {
    const { send, closed, session } = await gateway.call();
    send(sent);
    expect([1008, 1009]).toContain(await closed);
    await expect.poll(() => gateway.ended).toEqual(['media_invalid']);
    expect([gateway.rejected, gateway.broker.events.length]).toEqual([[reason], 1]);
    expect(session.told.at(-1)).toBe('close');
  });

  it('B31: media after stop is nobody’s: the call is over and published once', async () => {
    const { send, session } = await gateway.call();
    send(frames.stop(2), frames.media(3, FRAME), frames.media(4, FRAME));
    await expect.poll(() => gateway.ended).toEqual(['stream_stopped']);
    expect([appended(session.told), gateway.broker.events.length]).toEqual([0, 1]);
  });

  it('B42: audio at 100 times real time ends the stream before it fills anything', async () => {
    const { send, closed, session } = await gateway.call();
    const begun = performance.now();
    for (let sequence = 2; sequence < 5_002; sequence += 1) send(frames.media(sequence, FRAME));
    expect([await closed, gateway.rejected]).toEqual([1008, ['flood']]);
    // 30 s in one go, and twice the time that the flood took.
    const admittedMs = 30_000 + 2 * (performance.now() - begun);
    expect(appended(session.told) * 20).toBeLessThanOrEqual(admittedMs);
    await expect.poll(() => gateway.ended).toEqual(['media_invalid']);
  });

  it('B42: frames without audio are no way around the limit', async () => {
    const { send, closed } = await gateway.call();
    for (let sequence = 2; sequence < 10_002; sequence += 1) send(frames.media(sequence, ''));
    expect([await closed, gateway.rejected]).toEqual([1008, ['flood']]);
  });

  it('B42: a reader who takes nothing ends its call instead of our memory', async () => {
    const { socket, session } = await gateway.call();
    socket.pause();
    const payload = Buffer.alloc(32_000, 0x55).toString('base64');
    let sent = 0;
    while (gateway.ended.length === 0 && sent < 2_000) {
      session.report({ kind: 'agent_audio', itemId: 'a1', payload, ms: 4_000 });
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([gateway.ended, gateway.broker.events.length]).toEqual([['congested'], 1]);
  });
});

describe('a media stream with oddities goes on', () => {
  it('B33: a frame of 0 bytes and the other track are passed over', async () => {
    const { send, session } = await gateway.call();
    send(frames.media(2, ''), mediaOf({ track: 'outbound' }), frames.media(10, FRAME));
    await expect.poll(() => appended(session.told)).toBe(1);
  });

  it('B35: a frame that comes again is dropped and counted, and a gap is gone over', async () => {
    const { send, session } = await gateway.call();
    const untimed = (sequence: number): object => ({ ...frames.media(sequence, FRAME), media: { payload: FRAME } });
    send(untimed(2), untimed(2), untimed(9), untimed(3), frames.mark(10, 'ours'));
    await expect.poll(() => gateway.rejected).toEqual(['repeated', 'repeated']);
    expect(appended(session.told)).toBe(2);
  });

  it('B36: a frame whose time goes back is dropped and counted, and the stream goes on from there', async () => {
    const { send, session } = await gateway.call();
    const at = (sequence: number, ms: number): object => ({
      ...frames.media(sequence, FRAME),
      media: { payload: FRAME, timestamp: String(ms) },
    });
    send(at(2, 1_000), at(3, 1_020), at(4, 40), at(5, 60), at(6, 80));
    await expect.poll(() => appended(session.told)).toBe(4);
    expect(gateway.rejected).toEqual(['time_goes_back']);
  });

  it('B37: unknown events and fields are passed over', async () => {
    const { send, session } = await gateway.call();
    send({ event: 'weather' }, { event: 'dtmf', dtmf: { digit: '4' } }, { ...frames.media(2, FRAME), more: { a: 1 } });
    await expect.poll(() => appended(session.told)).toBe(1);
  });
});

/** A bare socket on which the WebSocket handshake was done by hand. */
async function rawUpgrade() {
  const socket = await gateway.connect();
  socket.on('error', () => undefined);
  const lines = [
    `GET ${MEDIA} HTTP/1.1`,
    'Host: gateway.test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `X-Twilio-Signature: ${SIGNED}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  socket.resume();
  return socket;
}

/** A frame as a client sends it: FIN not set, masked with zeros. `opcode` 1 is text, 0 a continuation. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
