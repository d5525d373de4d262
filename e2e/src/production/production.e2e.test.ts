import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startTelephone, type Telephone } from '@pipeline/sandbox';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { environmentOf, textsOf } from '../deploy/environment.ts';
import { readBase, workloadsOf } from '../deploy/manifests.ts';
import type { Surroundings } from '../stack/environment.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { twilioNumber } from '../stack/twilio-number.ts';
import { AUTHORITY_FILE } from './certificate.ts';
import { startNatsFront, startTlsPipe, type ServerFront } from './server-fronts.ts';
import { FROM_TWILIO, readOpenAiEvent, TO_OPENAI, TO_TWILIO, WEBHOOK_FORM } from './shapes.ts';
import { startTlsFront, type SeenSocket, type TlsFront } from './tls-front.ts';

/**
 * media-gateway as it runs in production: the environment of its manifest, every leg over TLS, real time. Nothing here is a real
 * account: what the documents of Twilio and OpenAI say stands in shapes.ts, and that is what is held.
 */

let stack: Stack;
let telephone: Telephone;
let twilio: TlsFront;
let openAi: TlsFront;
const servers: ServerFront[] = [];
const authorities = getCACertificates();

beforeAll(async () => {
  setDefaultCACertificates([...authorities, readFileSync(AUTHORITY_FILE, 'utf8')]);
  [twilio, openAi] = [await startTlsFront(), await startTlsFront()];
  const [nats, mongo] = [await startNatsFront(), await startTlsPipe()];
  servers.push(nats, mongo);
  const manifests = await readBase();
  stack = await startStack({
    services: ['media-gateway'],
    overrides: {
      'media-gateway': (world) => {
        nats.target = portOf(world.natsUrl);
        mongo.target = portOf(world.mongoUrl);
        openAi.target = new URL(world.providerUrl).origin;
        return { ...manifestEnvironment(manifests), ...ownEnvironment(world, nats.port, mongo.port) };
      },
    },
  });
  const [gateway] = stack.fleet.of('media-gateway');
  twilio.target = `http://127.0.0.1:${await gateway!.portOf('Twilio is answered')}`;
  telephone = await startTelephone({
    ...stack.surroundings.twilio,
    publicBaseUrl: twilio.url,
    ...twilioNumber(twilio.url),
  });
});
afterAll(async () => {
  await telephone?.close();
  await stack?.stop();
  for (const front of [twilio, openAi, ...servers]) front?.close();
  setDefaultCACertificates(authorities);
});

/** What the manifest says, whatever the local stack would say instead. */
function manifestEnvironment(manifests: Awaited<ReturnType<typeof readBase>>): Record<string, string> {
  const workload = workloadsOf(manifests).find(({ name }) => name === 'media-gateway');
  if (workload === undefined) throw new Error('there is no manifest of media-gateway');
  return textsOf(environmentOf(workload, manifests));
}

/** What an installation says for itself, and what is different on one machine: ports, addresses, one replica. */
function ownEnvironment(world: Surroundings, nats: number, mongo: number): Record<string, string> {
  return {
    NODE_ENV: 'production',
    NODE_EXTRA_CA_CERTS: AUTHORITY_FILE,
    NATS_URL: `tls://localhost:${nats}`,
    MONGO_URL: `mongodb://localhost:${mongo}/?directConnection=true&tls=true`,
    PUBLIC_BASE_URL: twilio.url,
    AGENT_BASE_URL: `${openAi.url}/v1`,
    TWILIO_ACCOUNT_SID: world.twilio.accountSid,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '0',
    HEALTH_HOST: '127.0.0.1',
    HEALTH_PORT: '0',
    STREAM_REPLICAS: '1',
    // A busy machine holds the audio of its own telephone back for longer than a network does.
    AGENT_SILENCE_AFTER_MS: '10000',
    STREAM_MAX_BYTES: String(256 * 1024 * 1024),
  };
}

function portOf(url: string): number {
  return Number(new URL(url.replace(/^\w+:/, 'http:')).port);
}

const jsonOf = ({ frames }: SeenSocket, direction: 'in' | 'out'): unknown[] =>
  frames.filter((frame) => frame.direction === direction).map((frame) => JSON.parse(frame.text) as unknown);
const typesOf = (frames: readonly ({ readonly event: string } | { readonly type: string })[]): string[] =>
  [...new Set(frames.map((frame) => ('event' in frame ? frame.event : frame.type)))].toSorted();

/** What Twilio says in our place, and nothing after it. */
const NOTICE =
  /^<\?xml version="1\.0" encoding="UTF-8"\?><Response><Say language="en-US">[^<]+<\/Say><Hangup\/><\/Response>$/;

describe('a call in production', () => {
  test('keeps to the documents in every URL, header and frame, on both sides', async () => {
    const dialogue = stack.interruptions.find(({ id }) => id === 'he-interruption')!;
    const call = await telephone.placeCall({ dialogue });
    const { problems, callbackStatuses, saidByCaller } = await call.ended;
    expect([problems, callbackStatuses, saidByCaller.length]).toEqual([[], [204], 3]);

    // Twilio's requests, and our answers.
    expect(twilio.requests.map(({ method, url, status }) => [method, url, status])).toEqual([
      ['POST', '/twilio/voice', 200],
      ['POST', '/twilio/status', 204],
    ]);
    for (const { headers, body } of twilio.requests) {
      expect(headers['content-type']).toBe('application/x-www-form-urlencoded; charset=UTF-8');
      expect(headers['x-twilio-signature']).toMatch(/^[A-Za-z0-9+/]{27}=$/);
      WEBHOOK_FORM.parse(Object.fromEntries(new URLSearchParams(body)));
    }
    const [voice] = twilio.requests;
    expect(voice?.answerHeaders['content-type']).toMatch(/^text\/xml/);
    const mediaUrl = `${twilio.url.replace('https', 'wss')}/twilio/media`;
    expect(voice?.answer.replace(/value="[\w-]{43}"/, 'value="TOKEN"')).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response>' +
        '<Start><Recording channels="dual" track="both" trim="do-not-trim"/></Start>' +
        `<Connect><Stream url="${mediaUrl}"><Parameter name="token" value="TOKEN"/></Stream></Connect>` +
        `<Redirect method="POST">${twilio.url}/twilio/after-stream#rc=2&amp;rp=all</Redirect></Response>`,
    );

    // The media stream.
    expect(twilio.sockets.map(({ url }) => url)).toEqual(['/twilio/media']);
    const [media] = twilio.sockets;
    expect(media?.frames.every(({ isBinary }) => !isBinary)).toBe(true);
    const fromTwilio = jsonOf(media!, 'in').map((frame) => FROM_TWILIO.parse(frame));
    const toTwilio = jsonOf(media!, 'out').map((frame) => TO_TWILIO.parse(frame));
    expect(typesOf(fromTwilio)).toEqual(['connected', 'mark', 'media', 'start', 'stop']);
    expect(typesOf(toTwilio)).toEqual(['clear', 'mark', 'media']);

    // The agent's session.
    expect(openAi.requests).toEqual([]);
    expect(openAi.sockets.map(({ url }) => url)).toEqual(['/v1/realtime?model=gpt-realtime-2.1']);
    const [session] = openAi.sockets;
    const { authorization, ...headers } = session!.headers;
    expect(authorization).toBe(`Bearer ${stack.surroundings.providerKey}`);
    expect(Object.keys(headers).toSorted()).toEqual([
      'connection',
      'host',
      'sec-websocket-key',
      'sec-websocket-version',
      'upgrade',
    ]);
    const toOpenAi = jsonOf(session!, 'in').map((frame) => TO_OPENAI.parse(frame));
    const fromOpenAi = session!.frames
      .filter(({ direction }) => direction === 'out')
      .map(({ text }) => readOpenAiEvent(text));
    expect(toOpenAi[0]?.type).toBe('session.update');
    expect(typesOf(toOpenAi)).toEqual([
      'conversation.item.truncate',
      'input_audio_buffer.append',
      'response.create',
      'session.update',
    ]);
    expect(typesOf(fromOpenAi)).toEqual(
      expect.arrayContaining(['conversation.item.truncated', 'response.output_audio.delta', 'session.updated']),
    );
    expect(typesOf(fromOpenAi)).not.toContain('error');

    // Audio is untouched in both directions.
    const heard = fromTwilio.flatMap((frame) => (frame.event === 'media' ? [frame.media.payload] : []));
    const appended = toOpenAi.flatMap((frame) => (frame.type === 'input_audio_buffer.append' ? [frame.audio] : []));
    expect(appended.length).toBeGreaterThan(heard.length - 50);
    expect(heard.slice(0, appended.length)).toEqual(appended);
    const made = fromOpenAi.flatMap((event) => (event.type === 'response.output_audio.delta' ? [event['delta']] : []));
    const played = toTwilio.flatMap((frame) => (frame.event === 'media' ? [frame.media.payload] : []));
    expect(made.filter((delta) => played.includes(String(delta)))).toEqual(played);

    await eventually('the end of the call is stored', () => stack.streams.holds('call.ended', call.callSid));
  });

  test('that loses its agent twice tells a second one what was said, then the caller what happened', async () => {
    const [requests, sockets] = [twilio.requests.length, openAi.sockets.length];
    for (const textIncludes of ['Beacon Street', 'no hurry'])
      stack.provider.setFault({ route: 'realtime', kind: 'disconnect', times: 1, match: { textIncludes } });
    const dialogue = stack.dialogues.find(({ id }) => id === 'en-painting')!;
    const call = await telephone.placeCall({ dialogue });
    const { callbackStatuses, heardFromAgent } = await call.ended;
    expect(callbackStatuses).toEqual([204]);
    expect(heardFromAgent.at(-1)).toContain('the connection to our assistant was lost');

    const asked = twilio.requests.slice(requests);
    expect(asked.map(({ method, url, status }) => [method, url, status])).toEqual([
      ['POST', '/twilio/voice', 200],
      ['POST', '/twilio/after-stream', 200],
      ['POST', '/twilio/status', 204],
    ]);
    for (const { body } of asked) WEBHOOK_FORM.parse(Object.fromEntries(new URLSearchParams(body)));
    expect(asked[1]?.answer).toMatch(NOTICE);

    const [first, second, ...more] = openAi.sockets.slice(sockets);
    expect([second?.url, more]).toEqual([first?.url, []]);
    const told = jsonOf(second!, 'in').map((frame) => TO_OPENAI.parse(frame));
    expect(jsonOf(second!, 'in')[0]).toEqual(jsonOf(first!, 'in')[0]);
    const items = told.flatMap((event) => (event.type === 'conversation.item.create' ? [event.item] : []));
    // The words to which the first one owed its answer may have been on their way to us.
    expect(items.length).toBeGreaterThanOrEqual(3);
    const said = dialogue.turns.slice(0, items.length);
    expect(items.map(({ role, content: [{ text }] }) => [role, text])).toEqual(
      said.map(({ speaker, text }) => [speaker === 'agent' ? 'assistant' : 'user', text]),
    );
    // What the first session was asked is asked of the second one, once it knows all of that.
    const types = told.map(({ type }) => type);
    expect(types.indexOf('response.create')).toBeGreaterThan(types.lastIndexOf('conversation.item.create'));
  });

  test('whose caller hangs up in a word has that word committed before the session is closed', async () => {
    const before = openAi.sockets.length;
    const call = await telephone.placeCall({ dialogue: stack.dialogues.find(({ id }) => id === 'en-painting')! });
    await eventually('the caller speaks', () =>
      openAi.sockets[before]?.frames.some(({ text }) => text.includes('"input_audio_buffer.speech_started"')),
    );
    call.hangUp();
    expect(await call.ended).toMatchObject({ endedBy: 'caller', callbackStatuses: [204] });
    const sent = jsonOf(openAi.sockets[before]!, 'in').map((frame) => TO_OPENAI.parse(frame));
    expect(sent.at(-1)).toEqual({ type: 'input_audio_buffer.commit' });
    await eventually('the end of the call is stored', () => stack.streams.holds('call.ended', call.callSid));
  });

  test('whose voice URL failed hears why, at the fallback URL', async () => {
    const before = twilio.requests.length;
    const misled = await startTelephone({
      ...stack.surroundings.twilio,
      publicBaseUrl: twilio.url,
      ...twilioNumber(twilio.url),
      voiceUrl: `${twilio.url}/twilio/nothing`,
    });
    onTestFinished(() => misled.close());
    const call = await misled.placeCall({ dialogue: stack.dialogues.find(({ id }) => id === 'en-painting')! });
    expect((await call.ended).heardFromAgent).toEqual([expect.stringContaining('cannot take your call right now')]);
    const asked = twilio.requests.slice(before);
    expect(asked.map(({ method, url, status }) => [method, url, status])).toEqual([
      ['POST', '/twilio/nothing', 404],
      ['POST', '/twilio/fallback', 200],
      ['POST', '/twilio/status', 204],
    ]);
    expect(asked[1]?.answer).toMatch(NOTICE);
  });

  test('refuses a forged request through the same door, and counts it', async () => {
    const forged = await fetch(`${twilio.url}/twilio/voice`, {
      method: 'POST',
      headers: { 'x-twilio-signature': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' },
      body: new URLSearchParams({ CallSid: `CA${'0'.repeat(32)}` }),
    });
    expect([forged.status, await forged.text()]).toEqual([403, '{"error":"refused"}']);
    const [gateway] = stack.fleet.of('media-gateway');
    const metrics = await (await fetch(`${gateway!.healthUrl}/metrics`)).text();
    expect(metrics).toMatch(/^ingress_rejected_total\{(?=.*reason="signature").*\} 1$/m);
  });
});
