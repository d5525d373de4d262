import { afterEach, expect, test } from 'vitest';
import type { CallFaults } from './call/faults.ts';
import { ODD_FRAMES } from './call/faults.ts';
import type { CallScript } from './line/script.ts';
import { startTelephone, type Telephone } from './telephone.ts';
import { ACCOUNT, startToyGateway, type ToyGateway, type ToyOptions } from './toy-gateway.ts';

const SILENT: CallScript = {
  from: '+972501234567',
  to: '+972731234567',
  direction: 'inbound',
  silent: true,
  turns: [],
  ending: 'caller_hangs_up',
  silentSeconds: 4,
};

let gateway: ToyGateway;
let telephone: Telephone;
afterEach(async () => {
  await telephone.close();
  await gateway.close();
});

async function call(faults: CallFaults, options: ToyOptions = {}, overrides = '') {
  gateway = await startToyGateway(options);
  const statusCallbackUrl = `${ACCOUNT.publicBaseUrl}/twilio/status${overrides}`;
  telephone = await startTelephone({ ...ACCOUNT, statusCallbackUrl, gatewayUrl: gateway.url });
  const { ended } = await telephone.placeCall({ dialogue: SILENT, speed: 20, faults });
  const outcome = await ended;
  const stream = gateway.streams[0];
  const events = stream?.frames.map((frame) => frame.event) ?? [];
  return { outcome, stream, events };
}

test('each request can carry a wrong signature alone', async () => {
  const { stream } = await call({ wrongSignature: ['media', 'status'] });
  expect(gateway.voice[0]?.isSigned).toBe(true);
  expect(stream?.isSigned).toBe(false);
  expect(gateway.status[0]?.isSigned).toBe(false);
  await telephone.close();
  await gateway.close();
  await call({ wrongSignature: ['voice'] });
  expect(gateway.voice[0]?.isSigned).toBe(false);
  expect(gateway.status[0]?.isSigned).toBe(true);
});

test('a socket cut by the network says no stop, and the call completes', async () => {
  const { outcome, events } = await call({ dropSocketAfterMs: 1_000 });
  expect(outcome).toMatchObject({ endedBy: 'network', status: 'completed', durationSec: 1, callbackStatuses: [204] });
  expect(events).not.toContain('stop');
});

test('a call can end without stop, and start can come twice', async () => {
  const { events } = await call({ noStop: true, duplicateStart: true });
  expect(events.at(-1)).toBe('media');
  expect(events.slice(0, 4)).toEqual(['connected', 'start', 'start', 'media']);
});

test('odd frames come once each at their time', async () => {
  const { stream, events } = await call({
    oddFrames: [
      { afterMs: 500, frame: ODD_FRAMES.badJson },
      { afterMs: 600, frame: ODD_FRAMES.binary },
      { afterMs: 700, frame: ODD_FRAMES.unknownEvent },
      { afterMs: 800, frame: ODD_FRAMES.big },
    ],
  });
  expect(stream?.odd).toHaveLength(2);
  expect(events.filter((event) => event === 'weather')).toHaveLength(1);
  const big = stream?.frames.filter((frame) => (frame.media?.payload.length ?? 0) > 1_000_000);
  expect(big).toHaveLength(1);
  expect(events.filter((event) => event === 'media')).toHaveLength(201);
});

test('the status callback can come twice under one token', async () => {
  const { outcome } = await call({ statusCallback: 'twice' });
  expect(outcome.callbackStatuses).toEqual([204, 204]);
  const [first, second] = gateway.status;
  expect(first?.fields).toEqual(second?.fields);
  expect(first?.headers['i-twilio-idempotency-token']).toBe(second?.headers['i-twilio-idempotency-token']);
});

test('the status callback can be missing', async () => {
  const { outcome } = await call({ statusCallback: 'missing' });
  expect(outcome.callbackStatuses).toEqual([]);
  expect(gateway.status).toEqual([]);
});

test('the status callback can come before stop', async () => {
  let isStopped: boolean | undefined;
  const { events, outcome } = await call(
    { statusCallback: 'early' },
    {
      statusOfCallback: () => {
        isStopped = gateway.streams[0]?.frames.some((frame) => frame.event === 'stop');
        return 204;
      },
    },
  );
  expect(isStopped).toBe(false);
  expect(events.at(-1)).toBe('stop');
  expect(outcome).toMatchObject({ status: 'completed', callbackStatuses: [204] });
});

test('a status callback that is answered 503 is not repeated, unless its URL asks for that', async () => {
  const { outcome } = await call({}, { statusOfCallback: () => 503 });
  expect(outcome.callbackStatuses).toEqual([503]);
});

test('a status callback is repeated as often as its URL says, under one token, until it is taken', async () => {
  const { outcome } = await call({}, { statusOfCallback: (count) => (count < 3 ? 503 : 204) }, '#rc=5&rp=all&tt=15000');
  expect(outcome.callbackStatuses).toEqual([503, 503, 204]);
  expect(new Set(gateway.status.map((came) => came.headers['i-twilio-idempotency-token'])).size).toBe(1);
  expect(gateway.status.map((came) => [came.path, came.isSigned])).toEqual(
    Array.from({ length: 3 }, () => ['/twilio/status', true]),
  );
});

test('no more often than that, and not after a failure that its URL does not name', async () => {
  const { outcome } = await call({}, { statusOfCallback: () => 503 }, '#rc=1&rp=5xx');
  expect(outcome.callbackStatuses).toEqual([503, 503]);
  await telephone.close();
  await gateway.close();
  const { outcome: refused } = await call({}, { statusOfCallback: () => 403 }, '#rc=5&rp=5xx,ct,rt');
  expect(refused.callbackStatuses).toEqual([403]);
});

test('all tries of a status callback have one time together, however many its URL asks for', async () => {
  const { outcome } = await call({}, { statusOfCallback: () => 503 }, '#rc=5&rp=all&tt=300');
  // The second try would come after 200 ms, the third after 600.
  expect(outcome.callbackStatuses.length).toBeLessThanOrEqual(2);
});

test('a try that is not answered in the time of its URL is over, and is one like any other', async () => {
  const { outcome } = await call(
    {},
    { statusOfCallback: (count) => (count === 1 ? 'never' : 204) },
    '#rc=1&rp=rt&rt=300',
  );
  expect(outcome.callbackStatuses).toEqual([0, 204]);
});

test('a telephone is not started with an override that Twilio does not have', async () => {
  await call({});
  const statusCallbackUrl = 'https://calls.example.com/twilio/status#retries=5';
  await expect(startTelephone({ ...ACCOUNT, statusCallbackUrl })).rejects.toThrow('retries=5');
});

test('frames of a gateway that are no JSON end the stream, strange ones are noted', async () => {
  const { outcome } = await call(
    {},
    {
      onStart: (stream) => {
        stream.send({ event: 'dance' });
        stream.send(JSON.stringify({ event: 'clear', streamSid: 'MZother' }));
        stream.send('{"event":');
      },
    },
  );
  expect(outcome.endedBy).toBe('network');
  expect(outcome.problems).toEqual([
    expect.stringMatching(/strange frame/),
    expect.stringMatching(/another stream/),
    expect.stringMatching(/31924/),
  ]);
});
