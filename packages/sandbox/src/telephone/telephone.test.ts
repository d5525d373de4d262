import { afterEach, expect, test } from 'vitest';
import { request } from 'undici';
import { demodulate } from '../speech/demodulate.ts';
import { modulate } from '../speech/modulate.ts';
import { mulawEncode } from '../speech/mulaw.ts';
import { readWav } from '../speech/wav.ts';
import type { CallScript } from './line/script.ts';
import { startTelephone, type PlaceCall, type Telephone } from './telephone.ts';
import { ACCOUNT, startToyGateway, type ToyGateway, type ToyOptions } from './toy-gateway.ts';

const GREETING = 'Hello, this is the agent.';
const SCRIPT: CallScript = {
  from: '+972501234567',
  to: '+972731234567',
  direction: 'inbound',
  silent: false,
  turns: [
    { speaker: 'agent', text: GREETING },
    { speaker: 'caller', text: 'שלום, אני צריך שיפוצים' },
    { speaker: 'agent', text: 'Where?' },
    { speaker: 'caller', text: 'בתל אביב' },
    { speaker: 'agent', text: 'Thank you.' },
  ],
  ending: 'caller_hangs_up',
};
/** Answers each of the caller's turns. */
const CONVERSATION: ToyOptions = {
  onStart: (stream) => stream.say(GREETING),
  onHeard: (stream, text) => stream.say(text === 'בתל אביב' ? 'Thank you.' : 'Where?'),
};

let gateway: ToyGateway;
let telephone: Telephone;
afterEach(async () => {
  await telephone.close();
  await gateway.close();
});

async function start(options: ToyOptions = CONVERSATION): Promise<void> {
  gateway = await startToyGateway(options);
  telephone = await startTelephone({ ...ACCOUNT, gatewayUrl: gateway.url });
}
async function call(placing: Partial<PlaceCall> = {}) {
  const placed = await telephone.placeCall({ dialogue: SCRIPT, speed: 20, ...placing });
  const outcome = await placed.ended;
  return { outcome, stream: gateway.streams.at(-1) };
}
async function wavOf(callSid: string) {
  const sid = telephone.calls.find((candidate) => candidate.callSid === callSid)?.recording?.sid ?? '';
  const response = await request(`${telephone.url}/2010-04-01/Accounts/${ACCOUNT.accountSid}/Recordings/${sid}.wav`, {
    query: { RequestedChannels: '2' },
    headers: basic(),
  });
  expect(response.statusCode).toBe(200);
  return readWav(Buffer.from(await response.body.arrayBuffer()));
}
function basic(user = ACCOUNT.apiKeySid, password = ACCOUNT.apiKeySecret) {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

test('a whole call: turns taken by ear, every request signed, and an outcome that tells all of it', async () => {
  await start();
  const { outcome, stream } = await call();
  expect(outcome).toMatchObject({
    status: 'completed',
    endedBy: 'caller',
    heardFromAgent: [GREETING, 'Where?', 'Thank you.'],
    saidByCaller: ['שלום, אני צריך שיפוצים', 'בתל אביב'],
    voiceStatus: 200,
    callbackStatuses: [204],
    problems: [],
  });
  expect(outcome.callSid).toMatch(/^CA[0-9a-f]{32}$/);
  expect(stream?.heard).toEqual(outcome.saidByCaller);
  expect(stream?.isSigned).toBe(true);
  expect(gateway.voice.map((came) => came.isSigned)).toEqual([true]);
  expect(gateway.status.map((came) => came.isSigned)).toEqual([true]);
  const hosts = [gateway.voice[0]?.headers.host, stream?.headers['host'], gateway.status[0]?.headers.host];
  expect(hosts).toEqual(Array.from(hosts, () => 'calls.example.com'));
});

test('the voice webhook and the status callback carry the fields of a real one', async () => {
  await start();
  const { outcome } = await call();
  expect(gateway.voice[0]?.fields).toMatchObject({
    CallSid: outcome.callSid,
    AccountSid: ACCOUNT.accountSid,
    From: SCRIPT.from,
    To: SCRIPT.to,
    CallStatus: 'ringing',
    Direction: 'inbound',
    ApiVersion: '2010-04-01',
  });
  expect(gateway.voice[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
  expect(gateway.status[0]?.fields).toMatchObject({
    CallSid: outcome.callSid,
    CallStatus: 'completed',
    CallDuration: String(outcome.durationSec),
    CallbackSource: 'call-progress-events',
  });
});

test('the stream is connected, start, numbered media of 20 ms each, stop', async () => {
  await start();
  const { outcome, stream } = await call();
  const frames = stream?.frames ?? [];
  expect(frames.slice(0, 2).map((frame) => frame.event)).toEqual(['connected', 'start']);
  expect(frames[0]?.sequenceNumber).toBeUndefined();
  expect(frames[1]?.start).toMatchObject({
    callSid: outcome.callSid,
    accountSid: ACCOUNT.accountSid,
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 },
    customParameters: { token: 'once & "only"' },
  });
  expect(frames.at(-1)?.event).toBe('stop');
  expect(frames.slice(1).map((frame) => frame.sequenceNumber)).toEqual(frames.slice(1).map((_, at) => String(at + 1)));
  const media = frames.flatMap((frame) => frame.media ?? []);
  expect(media).toHaveLength(outcome.frames.sent);
  expect(media.every((one) => one.payload.length === 216)).toBe(true);
  expect(media.map((one) => [one.chunk, one.timestamp])).toEqual(
    media.map((_, at) => [String(at + 1), String(at * 20)]),
  );
});

test('the recording is made of the very bytes that were sent, and of what was played', async () => {
  await start();
  const { outcome, stream } = await call();
  const { sampleRate, channels } = await wavOf(outcome.callSid);
  const [caller = new Int16Array(), agent = new Int16Array()] = channels;
  expect(sampleRate).toBe(8_000);
  expect(mulawEncode(caller).equals(stream?.audio() ?? Buffer.alloc(0))).toBe(true);
  expect(agent).toHaveLength(caller.length);
  const said = [demodulate(caller), demodulate(agent)];
  expect(said.flat().every((utterance) => utterance.intact)).toBe(true);
  expect(said.map((side) => side.map((utterance) => utterance.text))).toEqual([
    outcome.saidByCaller,
    outcome.heardFromAgent,
  ]);
  const inTime = said.flat().toSorted((one, other) => one.startMs - other.startMs);
  expect(inTime.map((utterance) => utterance.text)).toEqual(SCRIPT.turns.map((turn) => turn.text));
  for (const [at, utterance] of inTime.entries()) {
    expect(utterance.startMs).toBeGreaterThanOrEqual(inTime[at - 1]?.endMs ?? 0);
  }
});

test('at speed 1 a second of audio takes a second', async () => {
  await start({});
  const from = performance.now();
  const { outcome } = await call({ dialogue: { ...SCRIPT, silent: true, turns: [], silentSeconds: 1 }, speed: 1 });
  const took = performance.now() - from;
  expect(outcome.frames.sent).toBe(50);
  expect(outcome.durationSec).toBe(1);
  expect(took).toBeGreaterThan(970);
  expect(took).toBeLessThan(15_000);
});

test('at speed 20 twenty seconds of audio take one', async () => {
  await start({});
  const from = performance.now();
  const { outcome } = await call({ dialogue: { ...SCRIPT, silent: true, turns: [], silentSeconds: 20 }, speed: 20 });
  const took = performance.now() - from;
  expect(outcome.durationSec).toBe(20);
  expect(took).toBeGreaterThan(970);
  expect(took).toBeLessThan(15_000);
});

test('a mark comes back when what was sent before it has played, and not earlier', async () => {
  await start({
    onStart: (stream) => {
      stream.send({ event: 'mark', mark: { name: 'nothing before' } });
      stream.send({ event: 'media', media: { payload: Buffer.alloc(8_000, 0x20).toString('base64') } });
      stream.send({ event: 'mark', mark: { name: 'after a second' } });
    },
  });
  const { stream } = await call({ dialogue: { ...SCRIPT, silent: true, turns: [], silentSeconds: 3 } });
  const frames = stream?.frames ?? [];
  const before = (name: string): number =>
    frames
      .slice(
        0,
        frames.findIndex((frame) => frame.mark?.name === name),
      )
      .filter((frame) => frame.media).length;
  expect(stream?.marks).toEqual(['nothing before', 'after a second']);
  expect(before('after a second') - before('nothing before')).toBeGreaterThanOrEqual(49);
});

test('clear cuts what the caller hears, echoes the pending marks at once, and the recording is cut too', async () => {
  const long = 'word '.repeat(200);
  await start({
    onStart: (stream) => {
      stream.say(long);
      stream.send({ event: 'mark', mark: { name: 'end of words' } });
    },
    onHeard: (stream) => {
      stream.send({ event: 'clear' });
      stream.send({ event: 'media', media: { payload: Buffer.alloc(4_000, 0xff).toString('base64') } });
      stream.say('Yes?');
    },
  });
  const dialogue: CallScript = {
    ...SCRIPT,
    turns: [
      { speaker: 'caller', text: 'stop' },
      { speaker: 'agent', text: '?' },
    ],
  };
  const { outcome, stream } = await call({ dialogue });
  expect(outcome.heardFromAgent).toEqual([expect.stringMatching(/\uFFFD$/), 'Yes?']);
  expect(stream?.marks).toEqual(['end of words']);
  const { channels } = await wavOf(outcome.callSid);
  const heard = demodulate(channels[1] ?? new Int16Array());
  expect(heard.map((utterance) => utterance.text)).not.toContain(long);
  expect((heard.at(-1)?.endMs ?? 0) < modulate(long).length / 8).toBe(true);
});

test('an agent that closes the socket ends the call by the TwiML that follows, without stop', async () => {
  await start({
    onStart: (stream) => stream.say(GREETING),
    onHeard: (stream) => {
      stream.say('Bye.');
      stream.send({ event: 'mark', mark: { name: 'bye' } });
    },
    onMark: (stream) => stream.close(),
  });
  const dialogue: CallScript = { ...SCRIPT, turns: SCRIPT.turns.slice(0, 3), ending: 'agent_hangs_up' };
  const { outcome, stream } = await call({ dialogue });
  expect(outcome).toMatchObject({
    status: 'completed',
    endedBy: 'agent',
    heardFromAgent: [GREETING, 'Bye.'],
    problems: [],
  });
  expect(stream?.frames.some((frame) => frame.event === 'stop')).toBe(false);
  expect(gateway.status).toHaveLength(1);
});

test('a caller who hangs up at once has said nothing, and the call is completed', async () => {
  await start();
  const { outcome } = await call({ dialogue: { ...SCRIPT, turns: [] } });
  expect(outcome).toMatchObject({ status: 'completed', endedBy: 'caller', saidByCaller: [], callbackStatuses: [204] });
  expect(outcome.frames.sent).toBeLessThan(12);
});

test('a load balancer is asked for each of the three requests of a call, by its CallSid and path', async () => {
  gateway = await startToyGateway(CONVERSATION);
  const asked: string[] = [];
  const gatewayUrl = (callSid: string, path: string): string => {
    asked.push(`${callSid} ${path}`);
    return gateway.url;
  };
  telephone = await startTelephone({ ...ACCOUNT, gatewayUrl });
  const { outcome } = await call({ dialogue: { ...SCRIPT, turns: [] } });
  expect(outcome.status).toBe('completed');
  expect(asked).toEqual(['voice', 'media', 'status'].map((path) => `${outcome.callSid} /twilio/${path}`));
});

test('a status callback can be late', async () => {
  await start();
  const before = performance.now();
  const { outcome } = await call({
    dialogue: { ...SCRIPT, turns: [] },
    faults: { statusCallbackDelayMs: 700 },
  });
  expect(performance.now() - before).toBeGreaterThan(690);
  expect(outcome.callbackStatuses).toEqual([204]);
});

test('a placed call can be hung up by its caller', async () => {
  await start();
  const placed = await telephone.placeCall({ dialogue: { ...SCRIPT, silent: true, turns: [], silentSeconds: 600 } });
  await expect.poll(() => gateway.streams[0]?.frames.length ?? 0).toBeGreaterThan(5);
  placed.hangUp();
  expect(await placed.ended).toMatchObject({ status: 'completed', endedBy: 'caller' });
  expect(gateway.streams[0]?.frames.at(-1)?.event).toBe('stop');
});

test.each([
  ['busy', '<Response><Reject reason="busy"/></Response>', 'busy'],
  ['rejected', '<Response><Reject/></Response>', 'no-answer'],
])('a call refused as %s is an outcome', async (_name, twiml, status) => {
  await start({ twiml });
  const { outcome } = await call();
  expect(outcome).toMatchObject({ status, endedBy: 'refused', voiceStatus: 200, durationSec: 0, problems: [] });
  expect(gateway.status[0]?.fields).toMatchObject({ CallStatus: status });
  expect(gateway.status[0]?.fields).not.toHaveProperty('CallDuration');
});

test('an outbound call that nobody takes asks for nothing and is told as what it is', async () => {
  await start();
  const { outcome } = await call({ dialogue: { ...SCRIPT, direction: 'outbound' }, unanswered: 'no-answer' });
  expect(outcome).toMatchObject({
    status: 'no-answer',
    endedBy: 'unanswered',
    durationSec: 0,
    callbackStatuses: [204],
  });
  expect(gateway.voice).toEqual([]);
  expect(gateway.status[0]?.fields).toMatchObject({ CallStatus: 'no-answer', Direction: 'outbound-api' });
  expect(gateway.status[0]?.fields).not.toHaveProperty('CallDuration');
  await expect(call({ unanswered: 'busy' })).rejects.toThrow(RangeError);
});

test('a gateway that says it is full is heard, and the call is over', async () => {
  await start({ twiml: '<Response><Say>All lines are busy.</Say><Hangup/></Response>' });
  const { outcome } = await call();
  expect(outcome).toMatchObject({ status: 'completed', endedBy: 'agent', heardFromAgent: ['All lines are busy.'] });
});

test.each([
  ['answers 403', () => ({ status: 403, body: '' }), /answered 403/, 403],
  ['answers no TwiML', () => ({ status: 200, body: '<html>' }), /html/, 200],
])('a gateway that %s makes a failed call, not an exception', async (_name, twiml, problem, voiceStatus) => {
  await start({ twiml });
  const { outcome } = await call();
  expect(outcome).toMatchObject({ status: 'failed', endedBy: 'refused', voiceStatus });
  expect(outcome.problems[0]).toMatch(problem);
});

test('a gateway that is not there, or refuses the upgrade, makes an outcome too', async () => {
  await start({ refusesUpgrade: true });
  const { outcome } = await call();
  expect(outcome).toMatchObject({ status: 'completed', endedBy: 'refused' });
  expect(outcome.problems[0]).toMatch(/403/);
  await gateway.close();
  const { outcome: unreachable } = await call();
  expect(unreachable).toMatchObject({ status: 'failed', endedBy: 'refused', voiceStatus: 0 });
});

test('a caller who is never answered goes on once and hangs up the second time', async () => {
  await start({});
  const { outcome } = await call({ speed: 100 });
  expect(outcome).toMatchObject({ endedBy: 'caller', saidByCaller: [SCRIPT.turns[1]?.text] });
  expect(outcome.problems).toHaveLength(2);
});

test('close ends running calls, and places none afterwards', async () => {
  await start();
  const placed = await telephone.placeCall({ dialogue: { ...SCRIPT, silent: true, turns: [], silentSeconds: 600 } });
  await expect.poll(() => gateway.streams[0]?.frames.length ?? 0).toBeGreaterThan(5);
  await telephone.close();
  expect(await placed.ended).toMatchObject({ endedBy: 'operator' });
  await expect.poll(() => gateway.streams[0]?.closed).toBe(true);
  await expect(telephone.placeCall({ dialogue: SCRIPT })).rejects.toThrow(/closed/);
});
