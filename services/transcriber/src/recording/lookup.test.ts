import { describe, expect, test } from 'vitest';
import { PermanentError, RetryLaterError } from '@pipeline/contracts';
import { chooseRecordings, offsetsOf, type ListedRecording } from './lookup.ts';

function row(status: string, more: Partial<ListedRecording> = {}): ListedRecording {
  return {
    sid: `RE${status}`,
    status,
    channels: 2,
    durationSec: 60,
    startedAtMs: 1_000_000,
    isEncrypted: false,
    ...more,
  };
}

function outcomeOf(rows: ListedRecording[], attempt = 1, mayBeRecorded = true): string {
  try {
    return chooseRecordings(rows, { attempt, mayBeRecorded })
      .map(({ sid }) => sid)
      .join(' ');
  } catch (error) {
    if (error instanceof RetryLaterError) return `again until ${error.deadline}, then ${error.code}`;
    if (error instanceof PermanentError) return error.code;
    throw error;
  }
}

const AGAIN = 'again until recording, then RECORDING_NOT_FOUND';

describe('the look-up of a recording', () => {
  test.each([
    ['no row', [], AGAIN],
    ['in progress', [row('in-progress')], AGAIN],
    ['paused', [row('paused')], AGAIN],
    ['stopped', [row('stopped')], AGAIN],
    ['processing', [row('processing')], AGAIN],
    ['a status of next year', [row('archiving')], AGAIN],
    ['completed', [row('completed')], 'REcompleted'],
    ['absent', [row('absent')], 'RECORDING_ABSENT'],
    ['deleted', [row('deleted')], 'RECORDING_DELETED'],
    ['failed', [row('failed')], 'RECORDING_FAILED'],
    ['completed beside failed', [row('failed'), row('completed')], 'REcompleted'],
    ['completed beside processing', [row('processing'), row('completed')], AGAIN],
    ['B87 completed and encrypted', [row('completed', { isEncrypted: true })], 'RECORDING_ENCRYPTED'],
    [
      'B87 completed and encrypted beside one that is not',
      [row('completed', { isEncrypted: true }), row('completed', { sid: 'readable', durationSec: 3 })],
      'readable',
    ],
    ['absent beside processing', [row('absent'), row('processing')], AGAIN],
  ])('that says %s has one meaning', (_name, rows, outcome) => {
    expect(outcomeOf(rows)).toBe(outcome);
  });

  test('waits for nothing of a call that cannot have been recorded, unless something of it is listed all the same', () => {
    expect(outcomeOf([], 1, false)).toBe('RECORDING_ABSENT');
    expect(outcomeOf([row('processing')], 1, false)).toBe(AGAIN);
    expect(outcomeOf([row('completed')], 1, false)).toBe('REcompleted');
  });

  test('does not wait forever for a second recording beside a complete one', () => {
    expect(outcomeOf([row('processing'), row('completed')], 10)).toBe('REcompleted');
    expect(outcomeOf([row('processing')], 10)).toBe(AGAIN);
  });

  test('takes several recordings in order of time', () => {
    const rows = [
      row('completed', { sid: 'second', startedAtMs: 100_000 }),
      row('completed', { sid: 'first', startedAtMs: 0 }),
    ];
    expect(outcomeOf(rows)).toBe('first second');
    expect(offsetsOf(chooseRecordings(rows, { attempt: 1, mayBeRecorded: true }))).toEqual([0, 100_000]);
  });

  test('takes the same minutes once: with two channels, then the longer', () => {
    const rows = [
      row('completed', { sid: 'mono', channels: 1, durationSec: 90 }),
      row('completed', { sid: 'short', durationSec: 30 }),
      row('completed', { sid: 'long', durationSec: 80 }),
    ];
    expect(outcomeOf(rows)).toBe('long');
  });

  test('places a recording without a time after the one before it', () => {
    expect(offsetsOf([row('completed'), row('completed', { startedAtMs: null })])).toEqual([0, 60_000]);
  });
});
