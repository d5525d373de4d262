import type { LiveTurn } from '@pipeline/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PartText } from './heard-part.ts';
import { judge, type Case } from './judge.ts';

const part = (text: string, more: Partial<PartText> = {}): PartText => ({
  text,
  channel: 0,
  startMs: 1_000,
  endMs: 61_000,
  spokenMs: 60_000,
  isTonal: false,
  ...more,
});
const turn = (speaker: LiveTurn['speaker'], text: string, startMs: number | null = 1_000): LiveTurn => ({
  speaker,
  text,
  startMs,
});
function judged(parts: PartText[], more: Partial<Case> = {}) {
  return judge({ parts, live: null, keywords: [], channelMap: ['caller', 'agent'], maxCharsPerSec: 40, ...more });
}
const flagsOf = (text: string, more: Partial<Case> & { part?: Partial<PartText> } = {}) =>
  judged([part(text, more.part)], more).flags[0];

describe('repetition', () => {
  test.each([
    ['English', 'Thank you for watching! '.repeat(6)],
    ['Hebrew', 'תודה שצפיתם. '.repeat(6)],
    ['Arabic', 'شكرا على المشاهدة '.repeat(6)],
    ['Thai, without spaces', 'ขอบคุณที่รับชม'.repeat(6)],
    ['Japanese', 'ご視聴ありがとうございました'.repeat(5)],
    ['one letter', 'a'.repeat(60)],
    ['at the end of real words', `I live in Haifa and I need a plumber. ${'Okay. '.repeat(14)}`],
  ])('is seen in %s', (_name, text) => {
    expect(flagsOf(text)).toEqual(['repetition']);
  });

  test.each([
    ['no, no, no', 'No, no, no. Not on Monday.'],
    ['a telephone number', 'My number is 0 5 0 0 0 0 0 0 0 0.'],
    ['a Hebrew yes', 'כן כן כן, אני צריך שיפוץ של המטבח בתל אביב'],
    [
      'a refrain in a long talk',
      `${'I said it. '.repeat(3)}Then we went on to talk of the kitchen and of all the rest.`,
    ],
  ])('is not seen in %s', (_name, text) => {
    expect(flagsOf(text)).toEqual([]);
  });

  test('is seen when the same words come for one stretch after another, unless the live transcript has them', () => {
    const parts = [0, 1, 2, 3, 4].map((at) =>
      part('Thank you for watching!', { startMs: at * 90_000, endMs: at * 90_000 + 3_000, spokenMs: 3_000 }),
    );
    expect(judged(parts).flags).toEqual(parts.map(() => ['repetition']));
    expect(judged(parts.slice(0, 3)).flags).toEqual([[], [], []]);
    const live = parts.map(({ startMs }) => turn('agent', 'Thank you for watching!', startMs));
    expect(judged(parts, { live }).flags).toEqual(parts.map(() => []));
  });
});

describe('F65 an echo of our own keywords', () => {
  const keywords = ['Acme Plumbing', 'שיפוצים', 'سباكة', 'Haifa', 'תל אביב'];
  const listed = 'שיפוצים, سباكة, Haifa';
  const within = 'Hello, this is שיפוצים سباكة Haifa and so on, see you next time.';
  const otherwise = 'Haifa, תל אביב, Acme Plumbing.';
  /** A call that the live transcript has, but for what comes between its two lines. */
  const honest = 'I need somebody to repair the roof of my house before the winter comes';
  const besides = (text: string, live: readonly string[]) =>
    judged([part(honest, { startMs: 0 }), part(text, { startMs: 30_000 })], {
      keywords,
      live: [
        turn('caller', honest, 0),
        ...live.map((line) => turn('caller', line, 30_000)),
        turn('agent', 'Bye', 60_000),
      ],
    }).flags[1];

  test.each([
    ['all of them', 'Acme Plumbing, שיפוצים, سباكة, Haifa, תל אביב', keywords],
    ['four in our order and nothing else', 'שיפוצים, سباكة, Haifa, תל אביב', keywords],
    ['all three there are, in our order and nothing else', 'שִׁיפּוּצִים, سباكة, Haifa', ['שיפוצים', 'سباكة', 'Haifa']],
  ])('is %s, without a live transcript', (_name, text, ours) => {
    expect(flagsOf(text, { keywords: ours })).toEqual(['prompt_echo']);
  });

  test.each([
    ['three in our order and nothing else', listed],
    ['three in our order, within other words', within],
    ['three in another order and nothing else', otherwise],
  ])('is %s, where the live transcript has nothing like it', (_name, text) => {
    expect(besides(text, [])).toContain('prompt_echo');
  });

  test.each([
    ['three in our order and nothing else', listed],
    ['three in our order, within other words', within],
    ['three in another order and nothing else', otherwise],
    ['four in another order', 'Haifa, Acme Plumbing, תל אביב, سباكة'],
    [
      'all of them within other words',
      `Do you do ${keywords.join(', ')} or only one of these things, and what is the price?`,
    ],
    ['two in a sentence', 'אני צריך שיפוצים בתל אביב, בבניין ישן ברחוב דיזנגוף'],
    ['one alone', 'Acme Plumbing'],
    ['none', 'Good morning'],
  ])('is not %s, without a live transcript: a caller may say that', (_name, text) => {
    expect(flagsOf(text, { keywords })).toEqual([]);
    expect(flagsOf(text)).toEqual([]);
  });

  test.each([
    ['all of them', 'Acme Plumbing, שיפוצים, سباكة, Haifa, תל אביב'],
    ['three in our order', listed],
    ['three within other words', within],
  ])('is not %s where the live transcript has it too', (_name, text) => {
    expect(besides(text, [text])).toEqual([]);
  });
});

describe('too much text for its time', () => {
  test('is flagged, but what anybody can say is not', () => {
    const brief = { part: { spokenMs: 200 } };
    expect(flagsOf('Thank you for watching!', brief)).toEqual(['too_fast']);
    expect(flagsOf('תודה רבה', brief)).toEqual([]);
    expect(flagsOf('Bye bye', brief)).toEqual([]);
    expect(flagsOf('x y z '.repeat(20), { part: { spokenMs: 2_000 }, maxCharsPerSec: 20 })).toContain('too_fast');
  });

  test('is believed when the live transcript has it too', () => {
    const text = 'I am looking for somebody who fixes roofs';
    const given = { part: { spokenMs: 500 }, live: [turn('caller', text)] };
    expect(flagsOf(text, given)).toEqual([]);
    expect(flagsOf(text, { part: { spokenMs: 500 } })).toEqual(['too_fast']);
  });
});

test.each(['♪ ♪', '...', '\uFFFD\uFFFD'])('%s is no words', (text) => {
  expect(flagsOf(text)).toEqual(['no_words']);
  expect(flagsOf(' ')).toEqual([]);
});

describe('the live transcript', () => {
  const live = [
    turn('agent', 'Hello, this is Acme. How can I help you today?', 0),
    turn('caller', 'I need somebody to repair the roof of my house in Haifa.', 5_000),
    turn('agent', 'When would it suit you?', 300_000),
  ];
  const real = part('I need somebody to repair the roof of my house, in Haifa', { startMs: 5_000, endMs: 9_000 });

  test('marks what it has nothing of, and nothing else', () => {
    const invented = part('Thanks to our sponsors', { startMs: 20_000, endMs: 23_000 });
    const { flags, liveMatch } = judged([real, invented], { live });
    expect(flags).toEqual([[], ['not_in_live']]);
    expect(liveMatch).toBeGreaterThan(0.6);
    expect(liveMatch).toBeLessThan(0.8);
  });

  test('does not judge what came before or after it, nor a word or two', () => {
    const late = part('And now for something completely different', { startMs: 900_000, endMs: 903_000 });
    expect(judged([real, late], { live }).flags).toEqual([[], []]);
    expect(judged([real, part('Sure, fine')], { live }).flags).toEqual([[], []]);
  });

  test('that is of another call says so once, instead of at every line', () => {
    const other = part('Something else entirely is being discussed on this recording', { startMs: 5_000 });
    expect(judged([other], { live })).toMatchObject({ flags: [[]], differsFromLive: true });
  });

  test('that says next to nothing, or is not there, proves nothing', () => {
    expect(judged([real], { live: [turn('agent', 'Hi')] })).toMatchObject({ liveMatch: null, differsFromLive: false });
    expect(judged([real], { live: null })).toMatchObject({ liveMatch: null, channels: 'unknown' });
  });
});

test('no text is dropped, changed or a crash, whatever it is', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  const turns = fc.array(
    fc.record({ speaker: fc.constantFrom('caller', 'agent', 'unknown'), text, startMs: fc.option(fc.nat(1e7)) }),
  );
  fc.assert(
    fc.property(fc.array(text), fc.option(turns), fc.array(text), (texts, live, keywords) => {
      const { flags, liveMatch } = judged(
        texts.map((one) => part(one)),
        { live, keywords },
      );
      expect(flags).toHaveLength(texts.length);
      expect(liveMatch === null || (liveMatch >= 0 && liveMatch <= 1)).toBe(true);
    }),
  );
});

test('a day of speech is judged in seconds', () => {
  const words = (seed: number) =>
    Array.from({ length: 40 }, (_, at) => ((at * 7_919 + seed * 104_729) % 46_656).toString(36)).join(' ');
  const parts = Array.from({ length: 5_000 }, (_, at) =>
    part(words(at), { startMs: at * 15_000, endMs: at * 15_000 + 9_000 }),
  );
  const live = parts.map(({ text, startMs }) => turn('caller', text, startMs));
  const startedAt = performance.now();
  const { liveMatch } = judged(parts, { live });
  expect(liveMatch).toBe(1);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});
