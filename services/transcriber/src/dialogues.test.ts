import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  modulate,
  mulawDecode,
  mulawEncode,
  startAiProvider,
  loadDialogues,
  type AiFault,
  type AiProvider,
  type Dialogue,
} from '@pipeline/sandbox';
import { KNOWN_PRICES, transcriptLines, type CallTranscribed } from '@pipeline/contracts';
import { createSpeechToText } from './adapters/openai.ts';
import { audioOf, ended, surroundings, writeWav } from './fixtures.ts';
import { handle, type TranscriberDeps } from './handler.ts';

const RATE = 8_000;
const PAUSE = RATE / 2;
const KEY = 'sk-sandbox';
const never = new AbortController().signal;
const dialogues = (await loadDialogues()).filter((dialogue) => dialogue.turns.length > 0);
const [first] = dialogues;
if (first === undefined) throw new Error('the sandbox has no dialogue with words');

let provider: AiProvider;
beforeAll(async () => void (provider = await startAiProvider({ dialogues, apiKey: KEY })));
afterAll(() => provider.close());
const removals: (() => void)[] = [];
afterEach(() => removals.splice(0).forEach((remove) => remove()));

/** The turns of a dialogue one after another, each on its speaker's channel, as they sound after a telephone line. */
function recordingOf(dialogue: Dialogue) {
  const turns = dialogue.turns.map(({ speaker, text }) => ({
    speaker,
    words: mulawDecode(mulawEncode(modulate(text))),
  }));
  const frames = turns.reduce((sum, { words }) => sum + words.length + PAUSE, PAUSE);
  const samples = new Int16Array(frames * 2);
  let at = PAUSE;
  for (const { speaker, words } of turns) {
    words.forEach((sample, index) => void (samples[(at + index) * 2 + (speaker === 'caller' ? 0 : 1)] = sample));
    at += words.length + PAUSE;
  }
  const bytes = Buffer.from(writeWav(samples, RATE));
  bytes.writeUInt16LE(2, 22);
  return audioOf(bytes);
}

function transcribe(dialogue: Dialogue, { apiKey = KEY, timeoutMs = 20_000 } = {}) {
  const options = { baseUrl: provider.url, apiKey, model: 'gpt-transcribe', timeoutMs, concurrency: 4 };
  const deps: TranscriberDeps = {
    ...surroundings(),
    openRecordings: async () => ({
      recordings: [{ source: recordingOf(dialogue), offsetMs: 0 }],
      close: async () => {},
    }),
    transcribe: createSpeechToText(options),
    prices: KNOWN_PRICES,
  };
  const analysis = { ...ended.data.analysis, language: dialogue.language };
  return handle({ ...ended, data: { ...ended.data, analysis, liveTranscript: null } }, deps, never);
}

function strike(fault: AiFault): void {
  removals.push(provider.setFault(fault));
}

/** A provider that says nothing is given up soon; any other has all the time that a busy machine needs. */
function timeoutFor(kind: string): number {
  return kind === 'hang' || kind === 'timeout' ? 300 : 20_000;
}

describe('a recorded dialogue', () => {
  test.each(dialogues)('$id is transcribed word by word, by speaker', async (dialogue) => {
    const [event] = await transcribe(dialogue);
    const { transcript, stages } = (event as CallTranscribed).data; // The only event that this handler returns.
    expect(transcript?.text).toBe(transcriptLines(dialogue.turns));
    expect(transcript?.language).toBe(dialogue.language);
    expect(transcript?.quality).toEqual({ flags: [], flaggedSegments: 0, liveMatch: null });
    expect(stages.transcriber?.usage?.['requests']).toBe(dialogue.turns.length);
  });

  test.each([
    [
      { kind: 'status', status: 429, retryAfter: 7 },
      { name: 'RetryLaterError', retryAfterMs: 7_000 },
    ],
    [
      { kind: 'status', status: 429, code: 'insufficient_quota' },
      { name: 'RetryLaterError', pause: 'quota' },
    ],
    [
      { kind: 'status', status: 500 },
      { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' },
    ],
    [
      { kind: 'status', status: 422 },
      { name: 'PermanentError', code: 'PROVIDER_REJECTED' },
    ],
    [{ kind: 'disconnect' }, { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' }],
    [{ kind: 'hang' }, { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' }],
    [{ kind: 'timeout' }, { name: 'RetryLaterError', code: 'PROVIDER_UNAVAILABLE' }],
    [{ kind: 'invalid_schema' }, { name: 'PermanentError', code: 'OUTPUT_INVALID' }],
  ] as const)('whose provider shows %j ends as %j', async (fault, failure) => {
    strike({ route: 'transcriptions', ...fault });
    await expect(transcribe(first, { timeoutMs: timeoutFor(fault.kind) })).rejects.toMatchObject(failure);
  });

  test('whose provider refuses the key pauses the stage', async () => {
    await expect(transcribe(first, { apiKey: 'sk-revoked' })).rejects.toMatchObject({ pause: 'credentials' });
  });
});
