import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { business } from '../testing/examples.ts';
import { listeningGateway, SIGNED, type ListeningGateway } from '../testing/listening.ts';
import { changed, voiceForm } from '../testing/twilio.ts';

const FALLBACK = '/twilio/fallback';
const AFTER = '/twilio/after-stream';
const HEBREW = /<Say language="he-IL" voice="Google\.he-IL-Wavenet-A">[א-ת ,.]+<\/Say><Hangup\/>/;
const ENGLISH = /<Say language="en-US">We are sorry, [^<]+<\/Say><Hangup\/>/;
const HANG_UP = /<Response><Hangup\/><\/Response>$/;
const failed = changed(voiceForm, { ErrorCode: '11200', ErrorUrl: 'https://gateway.test/twilio/voice' });
const inProgress = changed(voiceForm, { CallStatus: 'in-progress' });

let gateway: ListeningGateway;
beforeEach(async () => {
  gateway = await listeningGateway();
});
afterEach(() => gateway.close());

describe('the fallback URL', () => {
  it('says in the language of the business that nobody can answer, starts no call, and counts it', async () => {
    const answer = await gateway.post(failed, {}, FALLBACK);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/xml')]);
    expect(answer.body).toMatch(HEBREW);
    expect([gateway.activeCalls(), gateway.rejected, gateway.broker.events]).toEqual([0, ['fallback'], []]);
    expect(gateway.lines.map(({ level, fields }) => [level, fields['code']])).toEqual([['error', '11200']]);
  });

  it('is never silent: in English for a language of which we have no words, or when nothing can be read', async () => {
    for (const settings of [{ ...business, language: 'sw' }, new Error('the database is away')]) {
      gateway.settings = settings;
      expect((await gateway.post(failed, {}, FALLBACK)).body).toMatch(ENGLISH);
    }
    gateway.settings = null;
    expect((await gateway.post(failed, {}, FALLBACK)).body).toContain('not in service');
  });

  it('is signed and strict like every other URL', async () => {
    expect((await gateway.post(failed, { signature: null }, FALLBACK)).status).toBe(403);
    expect((await gateway.post(changed(failed, { CallSid: 'CA1' }), {}, FALLBACK)).status).toBe(400);
  });
});

describe('after the media stream', () => {
  it('an agent who was lost is apologised for, also when the request reaches another process', async () => {
    const { session, closed } = await gateway.call();
    session.report({ kind: 'agent_lost', reason: 'closed_1006' });
    expect(gateway.agent.sessions).toHaveLength(2);
    gateway.agent.sessions[1]?.report({ kind: 'agent_lost', reason: 'closed_1006' });
    expect(await closed).toBe(1000);
    expect((await gateway.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);

    const other = await listeningGateway({ bucket: gateway.bucket });
    expect((await other.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
    await other.close();
  });

  it('a conversation that the agent ended is hung up without another word, here and elsewhere', async () => {
    const { session, closed } = await gateway.call();
    session.report({ kind: 'agent_leaves' });
    await closed;
    expect((await gateway.post(inProgress, {}, AFTER)).body).toMatch(HANG_UP);
    const other = await listeningGateway({ bucket: gateway.bucket });
    expect((await other.post(inProgress, {}, AFTER)).body).toMatch(HANG_UP);
    await other.close();
  });

  /** Two processes of which the first carries a call whose caller is in the middle of a word: it waits for long to read it. */
  async function interruptedCall() {
    await gateway.close();
    const config = { TRANSCRIPTION_GRACE_MS: 10_000, DRAIN_MS: 0 };
    gateway = await listeningGateway({ config });
    const other = await listeningGateway({ bucket: gateway.bucket, config });
    const { session, closed } = await gateway.call();
    session.report({ kind: 'caller_started', itemId: 'c1', atMs: 0 });
    return { other, session, closed };
  }

  it('another process hangs up after a goodbye, without waiting for the last words that the owner waits for', async () => {
    const { other, session, closed } = await interruptedCall();
    session.report({ kind: 'caller_stopped', itemId: 'c1' });
    session.report({ kind: 'agent_leaves' });
    await closed;
    expect((await other.post(inProgress, {}, AFTER)).body).toMatch(HANG_UP);
    expect(gateway.ended, 'the owner still waits').toEqual([]);
    await other.close();
  });

  it('a caller whose media stream broke off hears an apology, also before its end has arrived', async () => {
    const { socket } = await gateway.call();
    expect((await gateway.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
    expect(gateway.activeCalls()).toBe(1);
    socket.terminate();
    await expect.poll(() => gateway.ended).toEqual(['stream_closed']);
    expect((await gateway.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
  });

  it('a caller who is cut off by a drain hears an apology from another process at once, not after the last words', async () => {
    const { other, session, closed } = await interruptedCall();
    const drained = gateway.drain();
    await closed;
    expect((await other.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
    expect(gateway.ended, 'the owner still waits').toEqual([]);
    session.report({ kind: 'caller_text', itemId: 'c1', text: 'and then', isFinal: true });
    await drained;
    expect(gateway.ended).toEqual(['drain']);
    expect((await other.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
    await other.close();
  });

  it('a caller whose media stream was refused hears that nobody can answer, in whichever process', async () => {
    await gateway.answer();
    gateway.stop();
    expect(await gateway.refusedUpgrade('/twilio/media', { 'x-twilio-signature': SIGNED })).toBe(503);
    const other = await listeningGateway({ bucket: gateway.bucket });
    for (const asked of [gateway, other])
      expect((await asked.post(inProgress, {}, AFTER)).body).toContain('לא ניתן לענות לשיחה כעת');
    await other.close();
  });

  it('a caller of whose call nothing is known, or can be known in time, hears an apology', async () => {
    expect((await gateway.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
    gateway.bucket.isAway = true;
    expect((await gateway.post(inProgress, {}, AFTER)).body).toMatch(HEBREW);
  });

  it('is signed and strict like every other URL', async () => {
    expect((await gateway.post(inProgress, { signature: null }, AFTER)).status).toBe(403);
    expect((await gateway.post(changed(inProgress, { AccountSid: null }), {}, AFTER)).status).toBe(400);
  });
});
