import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/**
 * The least that bridges a call: both sockets, each frame parsed and written again, nothing checked and nothing kept. It sends no
 * marks, so it has even less to do than a bridge that could be interrupted. `AGENT_URL` says where the agent is.
 */
const agentUrl = process.env['AGENT_URL'] ?? '';

type Frame = {
  readonly event?: string;
  readonly type?: string;
  readonly streamSid?: string;
  readonly media?: { readonly payload: string };
  readonly delta?: string;
};

const server = createServer((_request, response) => {
  const { user, system } = process.cpuUsage();
  response.end(`process_cpu_seconds_total ${(user + system) / 1e6}\n`);
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', bridge);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);

function bridge(caller: WebSocket): void {
  const agent = new WebSocket(agentUrl, { perMessageDeflate: false });
  const waiting: string[] = [];
  let streamSid = '';

  agent.on('open', () => {
    agent.send(JSON.stringify({ type: 'session.update', session: { type: 'realtime' } }));
    agent.send(JSON.stringify({ type: 'response.create' }));
    for (const frame of waiting.splice(0)) agent.send(frame);
  });
  caller.on('message', (bytes) => {
    const frame = JSON.parse((bytes as Buffer).toString('utf8')) as Frame; // nothing is checked here, on purpose
    if (frame.event === 'start') streamSid = frame.streamSid ?? '';
    if (frame.event !== 'media') return;
    const append = JSON.stringify({ type: 'input_audio_buffer.append', audio: frame.media?.payload });
    if (agent.readyState === WebSocket.OPEN) agent.send(append);
    else waiting.push(append);
  });
  agent.on('message', (bytes) => {
    const event = JSON.parse((bytes as Buffer).toString('utf8')) as Frame; // as above
    if (event.type !== 'response.output_audio.delta') return;
    caller.send(JSON.stringify({ event: 'media', streamSid, media: { payload: event.delta } }));
  });
  for (const [one, other] of [
    [caller, agent],
    [agent, caller],
  ] as const) {
    one.on('error', () => undefined); // a close follows
    one.on('close', () => other.close());
  }
}
