import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { NO_FAULTS } from './faults.ts';
import { startLoad, type Load } from './load.ts';

let load: Load;
beforeAll(async () => {
  load = await startLoad({ pieceMs: 100, callerProcesses: 2 });
});
afterAll(() => load.close());

/** A relay that does to the n-th frame of the caller, and to the n-th piece of the agent, what it is told. */
async function startRelay(
  toAgent: (n: number, audio: string) => string[],
  toCaller = (_: number, audio: string) => [audio],
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (caller) => {
    const agent = new WebSocket(load.agentUrl.replace('http', 'ws'));
    const counted = { frames: 0, pieces: 0 };
    let streamSid = '';
    const append = (audio: string) => agent.send(JSON.stringify({ type: 'input_audio_buffer.append', audio }));
    caller.on('message', (bytes) => {
      const frame = JSON.parse((bytes as Buffer).toString('utf8'));
      if (frame.event === 'start') ({ streamSid } = frame);
      if (frame.event !== 'media') return;
      const opened = agent.readyState === WebSocket.OPEN ? Promise.resolve() : once(agent, 'open');
      for (const audio of toAgent(counted.frames, frame.media.payload)) void opened.then(() => append(audio));
      counted.frames += 1;
    });
    agent.on('open', () => agent.send('{"type":"response.create"}'));
    agent.on('message', (bytes) => {
      const event = JSON.parse((bytes as Buffer).toString('utf8'));
      if (event.type !== 'response.output_audio.delta') return;
      for (const payload of toCaller(counted.pieces, event.delta))
        caller.send(JSON.stringify({ event: 'media', streamSid, media: { payload } }));
      counted.pieces += 1;
    });
    caller.on('close', () => agent.close());
  });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { kind: 'relay', url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` } as const;
}

const small = { calls: 4, seconds: 1, warmUpMs: 0, faults: NO_FAULTS } as const;

test('a relay that hands on everything loses nothing, and every frame of the window has a latency', async () => {
  const report = await load.run({ ...small, target: await startRelay((_, audio) => [audio]) });
  expect(report).toMatchObject({ calls: 4, up: 4, framesLost: 0, framesRepeated: 0, framesDamaged: 0, problems: [] });
  // 4 calls, 50 frames and 10 pieces a second each; a busy machine makes them late, never fewer.
  expect(report.framesIn).toBeGreaterThanOrEqual(190);
  expect(report.toAgent.count).toBeGreaterThanOrEqual(190);
  expect(report.toCaller.count).toBeGreaterThanOrEqual(36);
});

test('frames that a relay loses, repeats or changes are counted as what they are, in both directions', async () => {
  const target = await startRelay(
    (n, audio) =>
      n === 5 ? [] : n === 6 ? [audio, audio] : n === 7 ? [`${audio.slice(0, 60)}AAAA${audio.slice(64)}`] : [audio],
    (n, audio) => (n === 3 ? [] : [audio]),
  );
  const report = await load.run({ ...small, target });
  // Per call: one frame gone, one changed (so the one that was sent never came), and one piece gone.
  expect(report).toMatchObject({ up: 4, framesLost: 12, framesRepeated: 4, framesDamaged: 4 });
});

test('a call that is closed by the other side is told as a problem', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  server.on('connection', (caller) => caller.close(1011));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const report = await load.run({ ...small, target: { kind: 'relay', url } });
  expect(report.up).toBe(0);
  expect(report.problems.join()).toContain('closed the media stream with 1011');
});
