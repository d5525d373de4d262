import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDialogues } from '../../dialogues/load.ts';
import { modulate } from '../../speech/modulate.ts';
import { mulawEncode } from '../../speech/mulaw.ts';
import { writeWav } from '../../speech/wav.ts';
import { startAiProvider, type AiProvider } from '../ai-provider.ts';
import { API_KEY, speech, spoken, transcribe } from '../test-client.ts';

const HEBREW = 'שלום, מדבר דני לוי. אני צריך שיפוצים בדירה.';
let provider: AiProvider;
beforeAll(async () => {
  provider = await startAiProvider({ dialogues: await loadDialogues(), apiKey: API_KEY });
});
afterAll(() => provider.close());

describe('transcriptions', () => {
  it('hear what the bytes say, in the form of gpt-transcribe, and enter it in the ledger', async () => {
    const file = speech(HEBREW, 'yes');
    const { status, body } = await transcribe(provider, file, {
      'languages[]': ['he', 'en'],
      'keywords[]': ['שיפוצים'],
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      text: `${HEBREW} yes`,
      languages: [{ code: 'he' }],
      usage: { type: 'duration', seconds: expect.any(Number) },
    });
    const last = provider.requests.at(-1);
    expect(last).toMatchObject({
      route: 'transcriptions',
      model: 'gpt-transcribe',
      status: 200,
      dialogueId: 'he-renovation',
    });
    expect(last?.bytes).toBeGreaterThan(file.length);
  });

  it('hear both channels of a stereo file and a mu-law file', async () => {
    const stereo = writeWav({
      sampleRate: 8_000,
      channels: [spoken('left'), new Int16Array([...spoken(''), ...spoken('', '', 'right')])],
    });
    expect((await transcribe(provider, stereo)).text).toBe('left right');
    const mulaw = mulawEncode(spoken('mu-law שלום'));
    const header = writeWav({ sampleRate: 8_000, channels: [new Int16Array(0)] });
    header.writeUInt16LE(7, 20);
    header.writeUInt16LE(8, 34);
    header.writeUInt32LE(mulaw.length, 40);
    expect((await transcribe(provider, Buffer.concat([header, mulaw]))).text).toBe('mu-law שלום');
  });

  it('believe the header: the right rate is converted, a wrong one leaves nothing to understand', async () => {
    const samples = spoken(HEBREW);
    const doubled = Int16Array.from({ length: samples.length * 2 }, (_, at) => samples[at >> 1] ?? 0);
    expect((await transcribe(provider, writeWav({ sampleRate: 16_000, channels: [doubled] }))).text).toBe(HEBREW);
    const lying = await transcribe(provider, writeWav({ sampleRate: 16_000, channels: [samples] }));
    expect(lying.status).toBe(200);
    expect(lying.text).not.toContain('שלום');
    expect(lying.text).toContain('\uFFFD');
  });

  it('give garbled text for a dropped frame, and never the right one', async () => {
    const samples = spoken(HEBREW);
    const left = Int16Array.from([...samples.subarray(0, 6_000), ...samples.subarray(6_160)]);
    const { text } = await transcribe(provider, writeWav({ sampleRate: 8_000, channels: [left] }));
    expect(text).toContain('\uFFFD');
    expect(text).not.toContain(HEBREW);
  });

  it('invent words in silence, as real models do', async () => {
    const { text } = await transcribe(provider, writeWav({ sampleRate: 8_000, channels: [new Int16Array(16_000)] }));
    expect(text).toBe('Thank you for watching!');
  });

  it('answer plain text, and for whisper-1 times by the audio', async () => {
    expect((await transcribe(provider, speech(HEBREW), { response_format: 'text' })).body).toBe(`${HEBREW}\n`);
    const verbose = await transcribe(provider, speech(HEBREW), {
      model: 'whisper-1',
      response_format: 'verbose_json',
      'timestamp_granularities[]': ['segment', 'word'],
    });
    const end = 0.5 + modulate(HEBREW).length / 8_000;
    expect(verbose.body).toMatchObject({
      task: 'transcribe',
      language: 'hebrew',
      segments: [{ id: 0, start: 0.5, end: expect.closeTo(end, 2), text: HEBREW }],
      words: HEBREW.split(' ').map((word) => ({ word })),
    });
    const srt = await transcribe(provider, speech('hello'), { model: 'whisper-1', response_format: 'srt' });
    expect(srt.text).toMatch(/^1\n00:00:00,500 --> 00:00:0\d,\d{3}\nhello\n/);
  });

  it.each([
    ['an unknown model', { model: 'gpt-9' }, 404, 'model_not_found', null],
    ['a text model', { model: 'gpt-6-luna' }, 404, 'model_not_found', null],
    [
      'verbose_json from gpt-transcribe',
      { response_format: 'verbose_json' },
      400,
      'unsupported_value',
      'response_format',
    ],
    [
      'srt from gpt-4o-transcribe',
      { model: 'gpt-4o-transcribe', response_format: 'srt' },
      400,
      'unsupported_value',
      'response_format',
    ],
    [
      'times from gpt-transcribe',
      { 'timestamp_granularities[]': 'word' },
      400,
      'unsupported_value',
      'timestamp_granularities',
    ],
    ['a language off its list', { 'languages[]': ['he', 'iw'] }, 400, 'invalid_value', 'languages'],
  ])('refuse %s as the API does', async (_, fields, status, code, param) => {
    const answer = await transcribe(provider, speech('hello'), fields);
    expect(answer.status).toBe(status);
    const error = { code, param, type: 'invalid_request_error', message: expect.any(String) };
    expect(answer.body).toEqual({ error });
  });

  it('refuse a file that is missing, no audio, too short, named wrongly or above 25 MB', async () => {
    const missing = { error: { param: 'file', code: 'missing_required_parameter' } };
    expect((await transcribe(provider, null)).body).toMatchObject(missing);
    expect((await transcribe(provider, Buffer.from('<html>'))).body).toMatchObject({ error: { param: 'file' } });
    const short = writeWav({ sampleRate: 8_000, channels: [new Int16Array(700)] });
    expect((await transcribe(provider, short)).body).toMatchObject({ error: { code: 'audio_too_short' } });
    expect((await transcribe(provider, speech('x'), {}, 'speech.txt')).status).toBe(400);
    expect((await transcribe(provider, new Uint8Array(25 * 1_024 * 1_024 + 1))).status).toBe(413);
    expect((await transcribe(provider, new Uint8Array(28 * 1_024 * 1_024))).status).toBe(413);
  });

  it('of 1,400 s are too long for the older models only', async () => {
    const long = writeWav({ sampleRate: 800, channels: [new Int16Array(800 * 1_401)] });
    expect((await transcribe(provider, long, { model: 'gpt-4o-transcribe' })).status).toBe(400);
    expect((await transcribe(provider, long)).status).toBe(200);
  });

  it('ignore a singular language and unknown fields', async () => {
    const { status } = await transcribe(provider, speech('hello'), { language: 'xx', colour: 'blue' });
    expect(status).toBe(200);
  });
});
