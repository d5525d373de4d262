import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import Fastify from 'fastify';
import type { RunningCall } from '../running-call.ts';
import { ACCOUNT_SID, CALL_SID, silentLogger } from '../testing/examples.ts';
import { listeningGateway, openStream, refusedUpgrade, SIGNED, type ListeningGateway } from '../testing/listening.ts';
import { changed, frames, voiceForm } from '../testing/twilio.ts';
import { addMediaStream } from './media-stream.ts';

const FRAME = Buffer.alloc(160, 0xff).toString('base64');

let gateway: ListeningGateway;
beforeEach(async () => {
  gateway = await listeningGateway();
});
afterEach(() => gateway.close());

const ended = async () => await expect.poll(() => gateway.ended).toHaveLength(1);

describe('the handshake', () => {
  it('is refused once the process stops', async () => {
    gateway.stop();
    expect(await gateway.refusedUpgrade('/twilio/media', { 'x-twilio-signature': SIGNED })).toBe(503);
  });
});

describe('the media stream of a call', () => {
  it('brings the caller to the agent and the agent to the caller, untouched', async () => {
    const { send, session, received } = await gateway.call();
    const payload = Buffer.from(Array.from({ length: 160 }, (_, index) => index)).toString('base64');
    send(frames.media(2, payload), { event: 'dtmf', dtmf: { digit: '4' } }, { event: 'news' }, frames.media(3, FRAME));
    await expect.poll(() => session.told).toEqual(['speak Hello there.', `append ${payload}`, `append ${FRAME}`]);
    session.report({ kind: 'agent_audio', itemId: 'a1', payload, ms: 20 });
    session.report({ kind: 'caller_started', itemId: 'c1', atMs: 0 });
    const streamSid = frames.start('').streamSid;
    await expect
      .poll(() => received)
      .toEqual([
        { event: 'media', streamSid, media: { payload } },
        { event: 'mark', streamSid, mark: { name: '1:20:a1' } },
        { event: 'clear', streamSid },
      ]);
  });

  it('puts silence where the caller’s time has a hole, at most 10 s', async () => {
    const { send, session } = await gateway.call();
    const at = (sequence: number, ms: number): object => ({
      ...frames.media(sequence, FRAME),
      media: { payload: FRAME, timestamp: String(ms) },
    });
    send(at(2, 0), at(3, 20), at(4, 540), at(5, 590), at(6, 3_600_000));
    await expect.poll(() => session.told).toHaveLength(6);
    const lengths = session.told.slice(1).map((told) => Buffer.from(told.slice('append '.length), 'base64'));
    expect(lengths.map((audio) => Math.floor(audio.length / 8))).toEqual([20, 20, 520, 20, 10_020]);
    expect(lengths[2]?.subarray(-160).equals(Buffer.from(FRAME, 'base64'))).toBe(true);
  });

  it('keeps frames that come while its token is looked up', async () => {
    const token = await gateway.answer();
    const stream = await gateway.stream();
    stream.send(frames.connected, frames.start(token), frames.media(2, FRAME), frames.stop(3));
    await ended();
    expect(gateway.broker.events[0]?.data).toMatchObject({
      liveTranscript: [],
      call: { endedReason: 'stream_stopped' },
    });
  });

  it('ends its call once by a stop, a close and the callback together, and says so in the log', async () => {
    const { send, socket, session } = await gateway.call();
    session.report({ kind: 'agent_text', itemId: 'a1', text: 'Hello there.', isFinal: true });
    send(frames.stop(2));
    socket.close();
    const noted = await gateway.post(changed(voiceForm, { CallStatus: 'completed' }), {}, '/twilio/status');
    await ended();
    expect([noted.status, gateway.broker.events.length]).toEqual([204, 1]);
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
    const { socket } = await gateway.call();
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
      maxSpeed: 2,
      onGenuine: () => undefined,
      openStream: () => answered.promise,
      onRejected: (reason) => void rejected.push(reason),
      logger: silentLogger,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo; // listening on TCP
    const stream = await openStream(port);
    stream.send(frames.connected, frames.start('any'));
    // Only what a connection uses of a call.
    const call = { receive: (input: { kind: string }) => void inputs.push(input.kind) } as unknown as RunningCall;
    return { ...stream, port, app, inputs, rejected, answer: () => answered.resolve(call) };
  }

  it('hands its frames to the call in order, and tells it that the socket is gone already', async () => {
    const { app, send, socket, inputs, answer: resolve } = await lookUp();
    send(frames.media(2, FRAME), frames.stop(3));
    socket.close();
    await expect.poll(() => app.websocketServer.clients.size).toBe(0);
    resolve();
    await expect.poll(() => inputs).toEqual(['media_audio', 'media_stopped', 'media_closed']);
    await app.close();
  });

  it('keeps no more than 5 s of audio', async () => {
    const { app, send, closed, rejected } = await lookUp();
    for (let sequence = 2; sequence < 260; sequence += 1) send(frames.media(sequence, FRAME));
    expect([await closed, rejected]).toEqual([1008, ['too_early']]);
    await app.close();
  });

  it('is the only one when there is room for one', async () => {
    const { app, port } = await lookUp();
    expect(await refusedUpgrade(port, '/twilio/media', { 'x-twilio-signature': SIGNED })).toBe(503);
    await app.close();
  });
});

describe('a drain', () => {
  it('lets a call go on until the limit, then ends it and waits until it is published', async () => {
    const { closed } = await gateway.call();
    gateway.stop();
    await gateway.drain();
    expect([gateway.ended, gateway.broker.events.length, await closed]).toEqual([['drain'], 1, 1000]);
  });
});
