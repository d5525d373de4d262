import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDemodulator, demodulate, type Utterance } from './demodulate.ts';
import { modulate } from './modulate.ts';
import { mulawDecode, mulawEncode } from './mulaw.ts';

const FRAME = 160;
const MIXED = 'שלום, אני צריך iPhone 17 ב-₪3,500 עד 14:30! مرحبا بالعالم 👩‍👩‍👧‍👦 +972-50-123-4567 (דחוף?)';
const spoken = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  fc.stringMatching(/^[א-ת ,.?!"'׳״־0-9a-zA-Z]{1,400}$/),
  fc.constantFrom(MIXED, 'כן', '\uFEFFbom', 'طلب سباكة في الناصرة'),
);

describe('speech', () => {
  it('says any text so that it is heard again through mu-law, within silence, in chunks of any size', () => {
    fc.assert(
      fc.property(
        spoken,
        fc.nat(4_000),
        fc.nat(4_000),
        fc.integer({ min: 1, max: 5_000 }),
        (text, before, after, chunk) => {
          const heard = inChunks(throughMulaw(between(modulate(text), before, after)), chunk);
          expect(heard.map((utterance) => utterance.text)).toEqual([text]);
          expect(heard[0]?.intact).toBe(true);
          expect(Math.abs((heard[0]?.startMs ?? -1) - before / 8)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('is never intact and never the right text when one frame of 20 ms is lost', () => {
    fc.assert(
      fc.property(spoken, fc.nat(4_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (text, before, where) => {
        const said = between(modulate(text), before, 2_000);
        const lost = Math.floor((before + where * (said.length - before - 2_000)) / FRAME);
        const left = Int16Array.from([...said.subarray(0, lost * FRAME), ...said.subarray((lost + 1) * FRAME)]);
        const heard = demodulate(left);
        expect(isBroken(heard, text)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('is never intact and never the right text when one bit of the mu-law bytes flips', () => {
    fc.assert(
      fc.property(spoken, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(7), (text, where, bit) => {
        const bytes = mulawEncode(modulate(text));
        const at = Math.floor(where * bytes.length);
        const before = mulawDecode(bytes)[at];
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const samples = mulawDecode(bytes);
        // Mu-law says 0 in two ways: in the silence between packets one flip cannot be heard.
        fc.pre(samples[at] !== before);
        expect(isBroken(demodulate(between(samples, 400, 2_000)), text)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['read at twice its rate', (said: Int16Array) => said.filter((_, at) => at % 2 === 0)],
    [
      'read at half its rate',
      (said: Int16Array) => Int16Array.from({ length: said.length * 2 }, (_, at) => said[at >> 1] ?? 0),
    ],
    [
      'with its channel interleaved with silence',
      (said: Int16Array) =>
        Int16Array.from({ length: said.length * 2 }, (_, at) => (at % 2 ? 0 : (said[at >> 1] ?? 0))),
    ],
    [
      'with swapped bytes',
      (said: Int16Array) => new Int16Array(Buffer.from(said.slice().buffer).swap16().buffer.slice(0)),
    ],
    ['one byte late', (said: Int16Array) => shiftedByOneByte(said)],
    ['louder', (said: Int16Array) => said.map((sample) => sample * 2)],
    ['cut in the middle', (said: Int16Array) => said.subarray(0, said.length >> 1)],
    ['with two frames swapped', swapFrames],
    ['with a frame twice', (said: Int16Array) => Int16Array.from([...said.subarray(0, 800), ...said.subarray(640)])],
  ])('is not intact %s', (_, damage) => {
    expect(isBroken(demodulate(between(damage(modulate(MIXED)), 800, 4_000)), MIXED)).toBe(true);
  });

  it('is not intact when the pause between two packets is cut, made noisy, or a whole packet is gone with it', () => {
    const text = 'מילה אחרי מילה '.repeat(40);
    const said = modulate(text);
    const pauses = pausesOf(said);
    const [first = 0, second = 0] = pauses;
    const without = (from: number, to: number) => Int16Array.from([...said.subarray(0, from), ...said.subarray(to)]);
    expect(pauses.length).toBeGreaterThan(1);
    expect(isBroken(demodulate(without(first, first + FRAME)), text)).toBe(true);
    expect(isBroken(demodulate(said.with(first + 10, 8)), text)).toBe(true);
    expect(isBroken(demodulate(without(first, second)), text)).toBe(true);
    expect(demodulate(said)).toMatchObject([{ text, intact: true }]);
  });

  it('hears what follows a broken utterance', () => {
    const broken = modulate(MIXED).subarray(0, 4_000);
    const heard = demodulate(Int16Array.from([...between(broken, 100, 4_000), ...modulate('שלום')]));
    expect(heard.map((utterance) => utterance.intact)).toEqual([false, true]);
    expect(heard[1]?.text).toBe('שלום');
  });

  it('hears two texts said without a pause as two', () => {
    const heard = demodulate(Int16Array.from([...modulate('one'), ...modulate('שתיים')]));
    expect(heard.map((utterance) => utterance.text)).toEqual(['one', 'שתיים']);
  });

  it('takes silence, a quiet hum and a click for no speech, and music for speech that cannot be understood', () => {
    const hum = Int16Array.from({ length: 16_000 }, (_, at) => Math.round(200 * Math.sin(at / 7)));
    expect(demodulate(new Int16Array(16_000))).toEqual([]);
    expect(demodulate(hum)).toEqual([]);
    expect(demodulate(new Int16Array(16_000).fill(20_000, 500, 520))).toEqual([]);
    const music = demodulate(hum.map((sample) => sample * 100));
    expect(music).toHaveLength(1);
    expect(music[0]?.intact).toBe(false);
  });

  it('knows within 40 ms of audio that somebody speaks, and ends the utterance with its last packet', () => {
    const said = modulate('אני צריך שיפוץ');
    const demodulator = createDemodulator();
    demodulator.push(new Int16Array(800));
    expect(demodulator.speakingSinceMs).toBeNull();
    expect(demodulator.push(said.subarray(0, 320))).toEqual([]);
    expect(demodulator.speakingSinceMs).toBe(100);
    expect(demodulator.push(said.subarray(320))).toMatchObject([{ startMs: 100, endMs: 100 + said.length / 8 }]);
    expect(demodulator.speakingSinceMs).toBeNull();
    expect(demodulator.positionMs).toBe(100 + said.length / 8);
  });

  it('says 1,000 Hebrew characters in 15 to 20 s, at about -15 dBFS, with no pause above 50 ms', () => {
    const said = modulate('אני מחפש קבלן שיפוצים לדירה '.repeat(36).slice(0, 1_000));
    expect(said.length / 8_000).toBeGreaterThan(15);
    expect(said.length / 8_000).toBeLessThan(20);
    const tone = said.filter((sample) => sample !== 0);
    const power = tone.reduce((sum, sample) => sum + sample * sample, 0) / tone.length;
    expect(10 * Math.log10(power / 32_768 ** 2)).toBeCloseTo(-15, 0);
    expect(longestPauseMs(said)).toBeLessThan(50);
  });

  it('is heard in the parts that a recognizer cuts between packets', () => {
    const text = 'מילה אחרי מילה '.repeat(60);
    const said = modulate(text);
    const [pause = 0] = pausesOf(said);
    const parts = [said.subarray(0, pause + 80), said.subarray(pause + 80)].flatMap((part) => demodulate(part));
    expect(parts.every((part) => part.intact)).toBe(true);
    expect(parts.map((part) => part.text).join('')).toBe(text);
  });

  it('says nothing for the empty text and refuses a text that is too long', () => {
    expect(modulate('')).toHaveLength(0);
    expect(() => modulate('a'.repeat(65_537))).toThrow(RangeError);
  });
});

/** Something was heard, it is marked as not intact, and the text that was said is nowhere in it. */
function isBroken(heard: readonly Utterance[], text: string): boolean {
  const texts = heard.map((utterance) => utterance.text);
  const isMarked = heard.some((utterance) => !utterance.intact);
  return isMarked && !texts.includes(text) && texts.join('') !== text;
}

function throughMulaw(samples: Int16Array): Int16Array {
  return mulawDecode(mulawEncode(mulawDecode(mulawEncode(samples))));
}

function between(samples: Int16Array, before: number, after: number): Int16Array {
  const all = new Int16Array(before + samples.length + after);
  all.set(samples, before);
  return all;
}

function inChunks(samples: Int16Array, size: number): Utterance[] {
  const demodulator = createDemodulator();
  const heard: Utterance[] = [];
  for (let at = 0; at < samples.length; at += size) heard.push(...demodulator.push(samples.subarray(at, at + size)));
  return [...heard, ...demodulator.flush()];
}

/** Where the pauses between packets begin. */
function pausesOf(said: Int16Array): number[] {
  return [...said.keys()].filter((at) => said[at] === 0 && said[at - 1] !== 0);
}

function swapFrames(said: Int16Array): Int16Array {
  return Int16Array.from([
    ...said.subarray(0, 800),
    ...said.subarray(960, 1_120),
    ...said.subarray(800, 960),
    ...said.subarray(1_120),
  ]);
}

function shiftedByOneByte(said: Int16Array): Int16Array {
  const bytes = new Uint8Array(said.length * 2 + 2);
  bytes.set(new Uint8Array(said.buffer, said.byteOffset, said.byteLength), 1);
  return new Int16Array(bytes.buffer);
}

function longestPauseMs(samples: Int16Array): number {
  let longest = 0;
  let run = 0;
  for (const sample of samples) {
    run = sample === 0 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest / 8;
}
