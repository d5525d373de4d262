import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparable } from '@pipeline/evidence';
import { findEvidence as find, sourcesOf } from './evidence.ts';

function findEvidence(...asked: Parameters<typeof find>) {
  const found = find(...asked);
  return found.kind === 'found' ? found.evidence : null;
}

const sources = sourcesOf({
  summary: 'הלקוח מבקש שיפוצים בדירה בתל־אביב, 15 חדרים, ב-1,500 שקל.',
  transcript: 'caller: I live in Haifa\nagent: noted',
});

describe('a quote', () => {
  test('is found where it stands, in the words of the text', () => {
    expect(findEvidence('תֵּל אביב', 'summary', sources)).toEqual({ quote: 'תל־אביב', source: 'summary', start: 26 });
  });

  test('counts only from a text that the field may be quoted from', () => {
    expect(findEvidence('Haifa', 'summary', sources)).toBeNull();
    expect(findEvidence('שיפוצים', 'transcript', sources)).toBeNull();
    expect(findEvidence('haifa', 'transcript', sources)).toMatchObject({ source: 'transcript', quote: 'Haifa' });
    expect(findEvidence('haifa', 'both', sources)).toMatchObject({ source: 'transcript' });
  });

  test.each(['', '  ', '...', '\u200f', 'not said', 'שיפוצים בחיפה'])('%j is no evidence', (quote) => {
    expect(findEvidence(quote, 'both', sources)).toBeNull();
  });

  test.each(['5', '1', '500', '1,5', '00'])('%j is not in a longer number', (quote) => {
    expect(findEvidence(quote, 'summary', sources)).toBeNull();
  });

  test.each(['15', '1,500', '15 חדרים'])('%j is there as a whole', (quote) => {
    expect(findEvidence(quote, 'summary', sources)).toMatchObject({ quote });
  });

  test('is looked for further on when its first place is inside a number', () => {
    const twice = sourcesOf({ summary: 'flat 25, 5 rooms', transcript: '' });
    expect(findEvidence('5', 'summary', twice)).toEqual({ quote: '5', source: 'summary', start: 9 });
  });

  test('of any words of a text is found in it, however it is pointed and spaced', () => {
    const words = fc.array(fc.stringMatching(/^[a-zA-Zא-ת]{1,8}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(words, fc.nat(), fc.nat(), (all, first, count) => {
        const from = first % all.length;
        const summary = all.join(' ');
        const quote = all
          .slice(from, from + 1 + (count % (all.length - from)))
          .join('\u00a0\u200f\n')
          .replaceAll('א', 'אָ');
        const evidence = findEvidence(quote, 'summary', sourcesOf({ summary, transcript: '' }));
        expect(comparable(evidence?.quote ?? '').text).toBe(comparable(quote).text);
        expect(summary.startsWith(evidence?.quote ?? 'nothing', evidence?.start ?? -1)).toBe(true);
      }),
    );
  });

  test('that is very long is kept in part', () => {
    const long = sourcesOf({ summary: 'word '.repeat(1_000), transcript: '' });
    expect(findEvidence('word '.repeat(900), 'summary', long)?.quote).toHaveLength(2_000);
  });
});
