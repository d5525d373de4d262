import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { business } from '../testing/examples.ts';
import { listeningGateway, type ListeningGateway } from '../testing/listening.ts';
import { changed, voiceForm } from '../testing/twilio.ts';

const FALLBACK = '/twilio/fallback';
const AFTER = '/twilio/after-stream';
const HEBREW = /<Say language="he-IL" voice="Google\.he-IL-Wavenet-A">[א-ת ,.]+<\/Say><Hangup\/>/;
const ENGLISH = /<Say language="en-US">We are sorry, [^<]+<\/Say><Hangup\/>/;
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

  it('a conversation that the agent ended is hung up without another word', async () => {
    const { session, closed } = await gateway.call();
    session.report({ kind: 'agent_leaves' });
    await closed;
    const answer = await gateway.post(inProgress, {}, AFTER);
    expect(answer.body).toMatch(/<Response><Hangup\/><\/Response>$/);
  });

  it('a call that nobody knows is hung up, in time', async () => {
    const answer = await gateway.post(inProgress, {}, AFTER);
    expect(answer.body).toMatch(/<Response><Hangup\/><\/Response>$/);
  });

  it('is signed and strict like every other URL', async () => {
    expect((await gateway.post(inProgress, { signature: null }, AFTER)).status).toBe(403);
    expect((await gateway.post(changed(inProgress, { AccountSid: null }), {}, AFTER)).status).toBe(400);
  });
});
