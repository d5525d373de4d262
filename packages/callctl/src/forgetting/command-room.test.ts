import { expect, test } from 'vitest';
import { commandRoom } from './command-room.ts';

const MIB = 1_048_576;
const idle = { pending: 0, ackPending: 0 };

test('a retention uses half of the stream of commands, and no more than a thousand wait for extractor', () => {
  expect(commandRoom(idle, { bytes: 0, maxBytes: 64 * MIB })).toEqual({ kind: 'room', commands: 1_000 });
  expect(commandRoom(idle, { bytes: 0, maxBytes: -1 })).toEqual({ kind: 'room', commands: 1_000 });
  expect(commandRoom({ pending: 900, ackPending: 90 }, { bytes: 0, maxBytes: MIB })).toEqual({
    kind: 'room',
    commands: 10,
  });
  expect(commandRoom(idle, { bytes: 0.5 * MIB - 3_000, maxBytes: MIB })).toEqual({ kind: 'room', commands: 2 });
});

test('what is in the way has a name', () => {
  expect(commandRoom({ pending: 999, ackPending: 1 }, { bytes: 0, maxBytes: MIB })).toEqual({ kind: 'backlog' });
  expect(commandRoom(idle, { bytes: 0.5 * MIB, maxBytes: MIB })).toEqual({ kind: 'full' });
  expect(commandRoom(idle, { bytes: MIB, maxBytes: MIB })).toEqual({ kind: 'full' });
});
