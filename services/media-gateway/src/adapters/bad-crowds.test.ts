import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listeningGateway, SIGNED, type ListeningGateway } from '../testing/listening.ts';
import { bodyOf, frames, PUBLIC_BASE_URL, signatureOf, voiceForm } from '../testing/twilio.ts';

/** Bad input B41: thousands of connections that prove nothing, from the address from which genuine ones come too. */

const FRAME = Buffer.alloc(160, 0xff).toString('base64');
const MAX_STRANGERS = 200;

let gateway: ListeningGateway;
beforeEach(async () => {
  gateway = await listeningGateway();
});
afterEach(() => gateway.close());

const VOICE_URL = `${PUBLIC_BASE_URL}/twilio/voice`;
/** A webhook in bytes; by default signed and whole. */
function voicePost({
  signature = signatureOf(VOICE_URL, voiceForm),
  body = bodyOf(voiceForm),
  last = 'Accept: */*',
} = {}): string {
  return [
    'POST /twilio/voice HTTP/1.1',
    'Host: gateway.test',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${bodyOf(voiceForm).length}`,
    `X-Twilio-Signature: ${signature}`,
    last,
    '',
    body,
  ].join('\r\n');
}
/** A request as a flood sends it through an ingress: it could be Twilio's, and its body never comes. */
const SLOW_POST = voicePost({ signature: `${'A'.repeat(27)}=`, body: '' });

/** One more stranger, who says `bytes` and then nothing. */
async function stranger(bytes = ''): Promise<Socket> {
  const socket = await gateway.connect();
  socket.on('error', () => undefined);
  socket.resume();
  if (bytes !== '') socket.write(bytes);
  return socket;
}

it('B41: of 5,000 strangers of one address the latest 200 stay, and running calls go on', async () => {
  const { send, session } = await gateway.call();
  let cut = 0;
  const all: Socket[] = [];
  for (let round = 1; round <= 50; round += 1) {
    const arrived = await Promise.all(Array.from({ length: 100 }, () => stranger()));
    for (const socket of arrived) socket.once('close', () => (cut += 1));
    all.push(...arrived);
    await expect.poll(() => cut, { timeout: 20_000 }).toBe(Math.max(0, round * 100 - MAX_STRANGERS));
  }
  expect(all.map((socket) => socket.destroyed).indexOf(false)).toBe(4_800);
  expect(gateway.rejected).toEqual(Array.from({ length: 4_800 }, () => 'sockets_of_address'));
  send(frames.media(2, FRAME));
  await expect.poll(() => session.told.filter((line) => line.startsWith('append'))).toHaveLength(1);
});

it('B41: a new call comes in, webhook and media stream, while strangers of its address crowd out each other', async () => {
  const crowd = async (): Promise<void> => {
    const before = gateway.rejected.length;
    await Promise.all(Array.from({ length: MAX_STRANGERS + 1 }, () => stranger(SLOW_POST)));
    await expect.poll(() => gateway.rejected.length).toBeGreaterThan(before);
  };
  await crowd();
  const answer = await gateway.exchange(voicePost({ last: 'Connection: close' }));
  const token = /name="token" value="([^"]+)"/.exec(answer)?.[1] ?? 'none';
  await crowd();
  const { send } = await gateway.stream({ headers: { 'x-twilio-signature': SIGNED } });
  send(frames.connected, frames.start(token));
  await expect.poll(() => gateway.agent.sessions.length).toBe(1);
  // Proven by its handshake, it is no stranger any more.
  await crowd();
  send(frames.stop(2));
  await expect.poll(() => gateway.ended).toEqual(['stream_stopped']);
});

it('B41: a connection that has proved itself is not cut, however many come after it', async () => {
  const proven = await stranger();
  const ask = async (): Promise<string> => {
    proven.write(voicePost());
    const [reply] = (await once(proven, 'data')) as [Buffer];
    return reply.toString('latin1');
  };
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
  await Promise.all(Array.from({ length: 2 * MAX_STRANGERS }, () => stranger()));
  await expect.poll(() => gateway.rejected.length).toBe(MAX_STRANGERS);
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
});
