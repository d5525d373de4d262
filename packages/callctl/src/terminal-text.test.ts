import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foreignText } from './terminal-text.ts';

test('on a terminal every line of foreign text is isolated, for a pipe it is plain', () => {
  expect(foreignText('שלום David\n\nhello', true)).toBe('\u2068שלום David\u2069\n\n\u2068hello\u2069');
  expect(foreignText('שלום David', false)).toBe('שלום David');
});

test('foreign text cannot move the cursor or turn the direction of what follows', () => {
  expect(foreignText('a\u001b[2Jb\u202eevil\u2069\r\nc\u0007\u009b', false)).toBe('a[2Jbevil\nc');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const lines = foreignText(text, true).split('\n');
      for (const line of lines) {
        const inside = line.slice(1, -1);
        expect(line).toBe(line === '' ? '' : `\u2068${inside}\u2069`);
        // Cc are the control characters, of which only the tab stays.
        expect(inside.replaceAll('\t', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }
    }),
  );
});
