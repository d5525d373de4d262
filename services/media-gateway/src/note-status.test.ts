import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { business, CALL_SID } from './testing/examples.ts';
import { createTestGateway, type TestGateway } from './testing/gateway.ts';
import { changed, formRequest, voiceForm, type Pairs } from './testing/twilio.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await createTestGateway();
});
afterEach(() => gateway.app.close());

const status = (CallStatus: string, changes: Record<string, string | null> = {}): Pairs =>
  changed(voiceForm, { CallStatus, CallDuration: '1e9', SequenceNumber: '0', ...changes });
const tell = async (form: Pairs) => (await gateway.app.inject(formRequest('/twilio/status', form))).statusCode;
const answer = () => gateway.app.inject(formRequest('/twilio/voice', voiceForm));
const published = () => gateway.broker.events.map((event) => event.data.call.endedReason);

describe('the status callback', () => {
  it('ends a call that never opened a media stream, without a live transcript', async () => {
    await answer();
    expect(await tell(status('completed'))).toBe(204);
    expect(gateway.broker.events).toHaveLength(1);
    expect(gateway.broker.events[0]).toMatchObject({
      callSid: CALL_SID,
      businessId: 'biz_1',
      data: { liveTranscript: null, call: { endedReason: 'completed', durationSec: 0 } },
    });
    expect(gateway.activeCalls()).toBe(0);
  });

  it('changes nothing when it comes again, in another order, or a day later', async () => {
    await answer();
    for (const each of ['completed', 'ringing', 'completed', 'failed', 'in-progress'])
      expect(await tell(status(each))).toBe(204);
    expect(published()).toEqual(['completed']);
    expect((await answer()).body).toContain('<Response><Hangup/></Response>');
    expect(gateway.activeCalls()).toBe(0);
  });

  it('leaves a call alone that goes on', async () => {
    await answer();
    for (const each of ['queued', 'initiated', 'ringing', 'in-progress']) expect(await tell(status(each))).toBe(204);
    expect(gateway.activeCalls()).toBe(1);
  });

  it('is not acknowledged before the stream has the event, and is afterwards', async () => {
    await answer();
    gateway.broker.isDown = true;
    expect(await tell(status('completed'))).toBe(503);
    gateway.broker.isDown = false;
    await expect.poll(async () => await tell(status('completed'))).toBe(204);
    expect(published()).toEqual(['completed']);
  });

  it('publishes a call that nobody answered, whichever way it was given up', async () => {
    for (const [index, each] of ['no-answer', 'failed', 'canceled', 'busy'].entries()) {
      const form = status(each, {
        CallSid: `CA${String(index).repeat(32)}`,
        Direction: 'outbound-api',
        From: '+972501234567',
        To: '+15551230000',
      });
      expect(await tell(form)).toBe(204);
    }
    expect(published()).toEqual(['no_answer', 'failed', 'canceled', 'busy']);
    expect(gateway.broker.events[0]?.data.call.direction).toBe('outbound');
  });

  it('publishes nothing for a call that we rejected, that another process has, or that is nobody’s', async () => {
    expect(await tell(status('busy'))).toBe(204);
    expect(await tell(status('completed'))).toBe(204);
    gateway.settings = null;
    expect(await tell(status('no-answer'))).toBe(204);
    expect(gateway.rejected).toEqual(['not_ours', 'not_ours', 'not_ours']);
    expect(published()).toEqual([]);
  });

  it.each(['the gateway that refused it', 'another gateway'])(
    'publishes an outbound call that was answered and then refused for want of room, by %s, once',
    async (hears) => {
      gateway.settings = { ...business, max_concurrent_calls: 0 };
      const outbound = { Direction: 'outbound-api', From: '+972501234567', To: '+15551230000' };
      const form = changed(voiceForm, outbound);
      const refused = async () => (await gateway.app.inject(formRequest('/twilio/voice', form))).body;
      expect(await refused()).toContain('<Response><Hangup/></Response>');
      gateway.settings = business;
      expect(await refused(), 'asked again when there is room').toContain('<Response><Hangup/></Response>');
      expect(published()).toEqual([]);
      expect(gateway.bucket.entries.has('business.biz_1'), 'it takes no place').toBe(false);
      const other = await createTestGateway({ bucket: gateway.bucket, broker: gateway.broker });
      const hearing = hears === 'another gateway' ? other : gateway;
      const ended = formRequest('/twilio/status', status('completed', outbound));
      for (let again = 0; again < 2; again += 1) expect((await hearing.app.inject(ended)).statusCode).toBe(204);
      await other.app.close();
      expect(published()).toEqual(['refused']);
      expect(gateway.broker.events[0]).toMatchObject({
        businessId: 'biz_1',
        data: { liveTranscript: null, call: { direction: 'outbound', to: '+15551230000', durationSec: 0 } },
      });
      expect(hearing.rejected.filter((reason) => reason === 'not_ours')).toEqual([]);
    },
  );

  it('publishes nothing for a caller who was refused for want of room', async () => {
    gateway.settings = { ...business, max_concurrent_calls: 0 };
    expect((await answer()).body).toContain('<Reject reason="busy"/>');
    expect(await tell(status('busy'))).toBe(204);
    expect(published()).toEqual([]);
    expect(gateway.bucket.entries.has(`call.${CALL_SID}`)).toBe(false);
  });

  it('comes again when it cannot be decided whose call it was', async () => {
    gateway.settings = new Error('the database is down');
    expect(await tell(status('no-answer'))).toBe(503);
  });
});
