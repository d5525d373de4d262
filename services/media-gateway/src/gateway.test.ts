import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { businessSettingsSchema, callEndedSchema } from '@pipeline/contracts';
import {
  loadBusinesses,
  loadDialogues,
  startAiProvider,
  startTelephone,
  type AiProvider,
  type Dialogue,
  type Telephone,
} from '@pipeline/sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createOpenAiAgent } from './adapters/openai-agent.ts';
import { ACCOUNT_SID, silentLogger } from './testing/examples.ts';
import { createTestGateway, type TestGateway } from './testing/gateway.ts';
import { AUTH_TOKEN, PUBLIC_BASE_URL } from './testing/twilio.ts';

const API_KEY = 'sk-of-the-test';
const SPEED = 20;
/** A caller who is faster than time has said a lot when the agent is found to be mute. */
const QUICKLY_MUTE = { AGENT_MUTE_AFTER_MS: 2_000, MEDIA_MAX_SPEED: 100 };
const ACCOUNT = {
  accountSid: ACCOUNT_SID,
  authToken: AUTH_TOKEN,
  apiKeySid: `SK${'4'.repeat(32)}`,
  apiKeySecret: 'a-secret-of-the-test',
  publicBaseUrl: PUBLIC_BASE_URL,
  fallbackUrl: `${PUBLIC_BASE_URL}/twilio/fallback`,
};

let dialogues: Dialogue[];
let provider: AiProvider;
let gateway: TestGateway;
let telephone: Telephone;

beforeAll(async () => {
  dialogues = await loadDialogues();
  provider = await startAiProvider({ dialogues, apiKey: API_KEY });
});
afterAll(() => provider.close());

beforeEach(() => open());
afterEach(() => close());

async function open(
  config: { AGENT_MUTE_AFTER_MS?: number; MEDIA_MAX_SPEED?: number } = {},
  deafAfterMs = 10_000,
): Promise<void> {
  const agent = createOpenAiAgent({
    baseUrl: provider.url,
    apiKey: API_KEY,
    model: 'gpt-realtime-2.1',
    transcriptionModel: 'gpt-transcribe',
    logger: silentLogger,
    deafAfterMs,
  });
  gateway = await createTestGateway({ agent, config: { TRANSCRIPTION_GRACE_MS: 3_000, ...config } });
  const gatewayUrl = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  telephone = await startTelephone({ ...ACCOUNT, gatewayUrl });
}

async function close(): Promise<void> {
  await telephone.close();
  await gateway.app.close();
}

function dialogueOf(id: string): Dialogue {
  const found = dialogues.find((dialogue) => dialogue.id === id);
  if (found === undefined) throw new Error(`no dialogue ${id}`);
  return found;
}

/** Places a call to the business of the dialogue and waits for its end. */
async function call(dialogue: Dialogue, faults: Parameters<Telephone['placeCall']>[0]['faults'] = {}, speed = SPEED) {
  const businesses = (await loadBusinesses()).map((each) => businessSettingsSchema.parse(each));
  gateway.settings = businesses.find((business) => business.id === dialogue.businessId) ?? null;
  const placed = await telephone.placeCall({ dialogue, speed, faults });
  return placed.ended;
}

const turnsOf = (dialogue: Dialogue) => dialogue.turns.map(({ speaker, text }) => `${speaker}: ${text}`);
const published = () =>
  gateway.broker.events.map((event) => ({
    ...event.data.call,
    turns: event.data.liveTranscript?.map(({ speaker, text }) => `${speaker}: ${text}`) ?? null,
  }));

describe('a call over real sockets', () => {
  it.each(['he-plumbing', 'en-plumbing', 'he-renovation', 'he-mixed-directions'])(
    'carries %s in both directions, word for word, and is published once with its live transcript',
    async (id) => {
      const dialogue = dialogueOf(id);
      const outcome = await call(dialogue);
      expect(outcome).toMatchObject({ status: 'completed', problems: [], callbackStatuses: [204] });
      expect(outcome.saidByCaller).toEqual(
        dialogue.turns.filter((turn) => turn.speaker === 'caller').map((turn) => turn.text),
      );
      const [event, ...others] = gateway.broker.events;
      expect(others).toEqual([]);
      expect(callEndedSchema.safeParse(event).success).toBe(true);
      expect(published()[0]?.turns).toEqual(turnsOf(dialogue));
      expect(published()[0]?.endedReason).toBe(
        dialogue.ending === 'agent_hangs_up' ? 'agent_hung_up' : 'stream_stopped',
      );
    },
  );

  it('of a caller who hangs up at once is published without words', async () => {
    await call(dialogueOf('hang-up'));
    expect(gateway.broker.events).toHaveLength(1);
  });

  it('ends once whatever order its end is told in', async () => {
    const dialogue = dialogueOf('en-plumbing');
    for (const faults of [
      { statusCallback: 'early' },
      { statusCallback: 'twice' },
      { statusCallback: 'missing' },
      { noStop: true },
    ] as const) {
      await call(dialogue, faults);
    }
    await expect.poll(() => gateway.broker.events.length).toBe(4);
    expect(new Set(gateway.broker.events.map((event) => event.id)).size).toBe(4);
  });

  it('that breaks off in the middle is published with what was said', async () => {
    const dialogue = dialogueOf('en-plumbing');
    await call(dialogue, { dropSocketAfterMs: 5_000, statusCallback: 'missing' });
    await expect.poll(() => published()[0]?.endedReason).toBe('stream_closed');
    expect(published()[0]?.turns?.slice(0, 3)).toEqual(turnsOf(dialogue).slice(0, 3));
  });

  it('survives the loss of its agent once', async () => {
    provider.setFault({ route: 'realtime', kind: 'disconnect', times: 1 });
    const dialogue = dialogueOf('en-plumbing');
    const outcome = await call(dialogue);
    expect(outcome.problems).toEqual([]);
    expect(published()[0]?.turns).toEqual(turnsOf(dialogue));
  });

  it('ends when its agent cannot be reached', async () => {
    const restore = provider.setFault({ route: 'realtime', kind: 'status', status: 503 });
    const outcome = await call(dialogueOf('en-plumbing'));
    restore();
    expect(outcome.status).toBe('completed');
    expect(published()[0]).toMatchObject({ endedReason: 'agent_lost', turns: [] });
  });

  it('goes on after the failure of a response, a frame that is no JSON and a transcription that never came', async () => {
    provider.setFault({ route: 'realtime', kind: 'response_failed', times: 1 });
    provider.setFault({ route: 'realtime', kind: 'malformed', times: 1 });
    provider.setFault({ route: 'realtime', kind: 'transcription_failed', times: 1 });
    const dialogue = dialogueOf('en-plumbing');
    await call(dialogue);
    const firstCaller = turnsOf(dialogue).findIndex((turn) => turn.startsWith('caller'));
    expect(published()[0]?.turns).toEqual(turnsOf(dialogue).filter((_turn, index) => index !== firstCaller));
  });
});

describe('a caller whom no agent can answer', () => {
  it('hears an apology when the agent is lost twice, and the call is published once', async () => {
    const remove = provider.setFault({ route: 'realtime', kind: 'disconnect', times: 2 });
    const outcome = await call(dialogueOf('he-plumbing'));
    remove();
    expect(outcome.heardFromAgent).toEqual([expect.stringContaining('השיחה נותקה בשל תקלה')]);
    expect(outcome).toMatchObject({ status: 'completed', endedBy: 'agent', callbackStatuses: [204] });
    expect(published().map(({ endedReason }) => endedReason)).toEqual(['agent_lost']);
  });

  it('is answered, and hears it, also when the first process that Twilio asks has a 503', async () => {
    await telephone.close();
    const { port } = gateway.app.server.address() as AddressInfo; // listening on TCP
    const leaving = createServer((_request, response) => void response.writeHead(503).end()).listen(0, '127.0.0.1');
    onTestFinished(() => void leaving.close());
    await once(leaving, 'listening');
    const asked: string[] = [];
    telephone = await startTelephone({
      ...ACCOUNT,
      voiceUrl: `${PUBLIC_BASE_URL}/twilio/voice#rc=2&rp=all`,
      gatewayUrl: (_callSid, path) => {
        const isFirst = !asked.includes(path) && !path.endsWith('/media');
        asked.push(path);
        return `http://127.0.0.1:${isFirst ? (leaving.address() as AddressInfo).port : port}`; // listening on TCP
      },
    });
    const remove = provider.setFault({ route: 'realtime', kind: 'disconnect', times: 2 });
    const outcome = await call(dialogueOf('he-plumbing'));
    remove();
    expect(outcome.heardFromAgent).toEqual([expect.stringContaining('השיחה נותקה בשל תקלה')]);
    // The status callback once: this telephone was told no fragment for it.
    const paths = ['voice', 'voice', 'media', 'after-stream', 'after-stream', 'status'];
    expect(asked).toEqual(paths.map((path) => `/twilio/${path}`));
    expect([outcome.voiceStatus, outcome.callbackStatuses]).toEqual([200, [503]]);
  });

  it('hears an apology when the agent is ready twice and never says a word', async () => {
    await close();
    await open(QUICKLY_MUTE);
    const remove = provider.setFault({ route: 'realtime', kind: 'mute' });
    const outcome = await call(dialogueOf('he-plumbing'));
    remove();
    expect(outcome.heardFromAgent).toEqual([expect.stringContaining('השיחה נותקה בשל תקלה')]);
    expect(published().map(({ endedReason }) => endedReason)).toEqual(['agent_lost']);
  });

  it('goes on with another session when the agent has no answer for the caller', async () => {
    await close();
    await open(QUICKLY_MUTE);
    const dialogue = dialogueOf('en-plumbing');
    const asked = dialogue.turns.find(({ speaker }) => speaker === 'caller')?.text ?? '';
    const remove = provider.setFault({ route: 'realtime', kind: 'mute', times: 1, match: { textIncludes: asked } });
    const outcome = await call(dialogue);
    remove();
    expect(outcome.problems).toEqual([]);
    expect(published()[0]?.turns).toEqual(turnsOf(dialogue));
  });

  it('goes on with another session when the agent hears nothing any more, although its socket lives', async () => {
    await close();
    await open({ MEDIA_MAX_SPEED: 100 }, 600);
    const whole = dialogueOf('en-plumbing');
    const dialogue = { ...whole, turns: whole.turns.slice(0, 3), ending: 'caller_hangs_up' as const };
    const before = provider.requests.length;
    const remove = provider.setFault({ route: 'realtime', kind: 'deaf', times: 1 });
    // Slow enough for the agent to be asked once, and to answer, before the caller speaks.
    const { heardFromAgent } = await call(dialogue, {}, 2);
    remove();
    // What the caller said to nobody is lost with the session; the next one speaks first.
    expect(heardFromAgent.length).toBeGreaterThan(1);
    expect(provider.requests.slice(before).filter(({ route }) => route === 'realtime')).toHaveLength(2);
    expect(published()).toMatchObject([{ endedReason: 'stream_stopped' }]);
  });

  it('hears an apology when the voice URL fails, in the language of the business', async () => {
    await telephone.close();
    const { port } = gateway.app.server.address() as AddressInfo; // listening on TCP
    telephone = await startTelephone({
      ...ACCOUNT,
      voiceUrl: `${PUBLIC_BASE_URL}/twilio/nothing`,
      gatewayUrl: `http://127.0.0.1:${port}`,
    });
    const outcome = await call(dialogueOf('he-plumbing'));
    expect(outcome.heardFromAgent).toEqual([expect.stringContaining('לא ניתן לענות לשיחה כעת')]);
    expect([outcome.voiceStatus, gateway.broker.events]).toEqual([404, []]);
  });
});
