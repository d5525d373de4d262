import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrames } from './text-frames.ts';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
});
afterEach(() => server.close());

test('a client reads each text as one message, of every length at which the header changes', async () => {
  const texts = ['', 'א', 'x', 'x'.repeat(125), 'x'.repeat(126), 'é'.repeat(32_767), 'x'.repeat(65_535)];
  texts.push('x'.repeat(65_536), 'the last');
  server.on('connection', (_socket, request) => {
    request.socket.write(textFrames(...texts.slice(0, 4)));
    request.socket.write(textFrames(...texts.slice(4)));
  });
  const read: string[] = [];
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const failed = once(client, 'error').then(([error]) => Promise.reject(error));
  const whole = new Promise<void>((resolve) => {
    client.on('message', (frame, isBinary) => {
      read.push(isBinary ? 'binary' : (frame as Buffer).toString('utf8')); // a Buffer by default
      if (read.length === texts.length) resolve();
    });
  });
  await Promise.race([whole, failed]);
  client.terminate();
  expect(read).toEqual(texts);
});
