import { describe, expect, test } from 'vitest';
import { parseMoment } from './since.ts';
import { UsageError } from './verb.ts';

const now = new Date('2026-11-25T12:00:00Z');

describe('a moment on the command line', () => {
  test.each([
    ['30m', '2026-11-25T11:30:00.000Z'],
    ['24h', '2026-11-24T12:00:00.000Z'],
    ['7d', '2026-11-18T12:00:00.000Z'],
    ['2026-11-20', '2026-11-20T00:00:00.000Z'],
    ['2026-11-20T08:00:00Z', '2026-11-20T08:00:00.000Z'],
    ['2026-11-20T08:00+02:00', '2026-11-20T06:00:00.000Z'],
  ])('%s is %s', (typed, moment) => {
    expect(parseMoment('since', typed, now).toISOString()).toBe(moment);
  });

  test.each(['', 'yesterday', '7', '7w', '-7d', '2026-02-31', '2026-13-01', '2026-11-20T08:00:00', '1700000000'])(
    '%j is refused with what may be typed',
    (typed) => {
      expect(() => parseMoment('since', typed, now)).toThrow(UsageError);
      expect(() => parseMoment('since', typed, now)).toThrow('--since takes a duration (24h)');
    },
  );
});
