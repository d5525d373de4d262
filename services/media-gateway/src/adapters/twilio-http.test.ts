import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestGateway, type TestGateway } from '../testing/gateway.ts';
import { business } from '../testing/examples.ts';
import {
  changed,
  formRequest,
  MEDIA_URL,
  OLD_AUTH_TOKEN,
  PUBLIC_BASE_URL,
  signatureOf,
  voiceForm,
  type Pairs,
} from '../testing/twilio.ts';

const VOICE = '/twilio/voice';
const VOICE_URL = `${PUBLIC_BASE_URL}${VOICE}`;

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await createTestGateway();
});
afterEach(() => gateway.app.close());

const post = (form: Pairs, options?: Parameters<typeof formRequest>[2], path = VOICE) =>
  gateway.app.inject(formRequest(path, form, options));
const ring = (digit: string) => post(changed(voiceForm, { CallSid: `CA${digit.repeat(32)}` }));

describe('the voice webhook', () => {
  it('answers with a dual recording, the stream with its token, and what comes after the stream', async () => {
    const answer = await post(voiceForm);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('text/xml');
    expect(answer.body.replace(/value="[\w-]{43}"/, 'value="TOKEN"')).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response>' +
        '<Start><Recording channels="dual" track="both" trim="do-not-trim"/></Start>' +
        `<Connect><Stream url="${MEDIA_URL}"><Parameter name="token" value="TOKEN"/></Stream></Connect>` +
        `<Redirect method="POST">${PUBLIC_BASE_URL}/twilio/after-stream#rc=2&amp;rp=all</Redirect></Response>`,
    );
    expect(gateway.activeCalls()).toBe(1);
  });

  it('accepts either token while they rotate', async () => {
    const answer = await post(voiceForm, { signature: signatureOf(VOICE_URL, voiceForm, OLD_AUTH_TOKEN) });
    expect(answer.statusCode).toBe(200);
  });

  it('answers a repeated request of a call that waits with a new token and starts no second call', async () => {
    const [first, second] = [await post(voiceForm), await post(voiceForm)];
    expect(second.body).toContain('<Stream');
    expect(second.body).not.toBe(first.body);
    expect(gateway.activeCalls()).toBe(1);
  });

  it('says that a number is not in service and publishes nothing', async () => {
    gateway.settings = null;
    const answer = await post(voiceForm);
    expect(answer.body).toMatch(/<Say[^>]*>.+<\/Say><Hangup\/>/);
    expect(gateway.rejected).toEqual(['unknown_number']);
    expect([gateway.activeCalls(), gateway.broker.events.length]).toEqual([0, 0]);
  });

  it('finds the business of an outbound call by the number that calls', async () => {
    const form = changed(voiceForm, { Direction: 'outbound-api', From: '+972501234567', To: '+15551230000' });
    expect((await post(form)).body).toContain('<Stream');
    const anonymous = changed(form, { From: 'anonymous', CallSid: `CA${'9'.repeat(32)}` });
    expect((await post(anonymous)).body).toContain('<Say ');
  });

  it('apologises when settings cannot be read, and uses the last good copy when it has one', async () => {
    gateway.settings = new Error('the database is down');
    expect((await post(voiceForm)).body).toContain('We are sorry');
    gateway.settings = business;
    await post(voiceForm);
    gateway.settings = new Error('the database is down');
    expect((await post(changed(voiceForm, { CallSid: `CA${'8'.repeat(32)}` }))).body).toContain('<Stream');
  });

  it('gives a busy tone to a business above its limit, when this process is full, and when it stops', async () => {
    await Promise.all([ring('4'), ring('5')]);
    expect((await ring('6')).body).toContain('<Reject reason="busy"/>');
    expect(gateway.activeCalls()).toBe(2);

    const full = await createTestGateway({ config: { MAX_CALLS: 0 } });
    expect((await full.app.inject(formRequest(VOICE, voiceForm))).body).toContain('<Reject reason="busy"/>');
    await full.app.close();

    gateway.stop();
    gateway.settings = { ...business, id: 'biz_2' };
    expect((await ring('7')).body).toContain('<Reject reason="busy"/>');
  });
});
