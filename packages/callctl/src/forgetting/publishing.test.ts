import { expect, test } from 'vitest';
import { commandFor } from './command.ts';
import { publishCommand } from './publishing.ts';

const callSid = `CA${'1'.repeat(32)}`;
const command = commandFor({ callSid, businessId: 'biz_1', requestedBy: 'test', because: 'request' });
const never = new AbortController().signal;

/** A broker that takes nothing and never says so, with this stream. */
const silent = (fill: { readonly bytes: number; readonly maxBytes: number } | null) => ({
  publish: async (_event: object, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> => {
    signal?.throwIfAborted();
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    signal?.throwIfAborted();
  },
  fillOf: async () => fill,
});

test.each([
  ['the stream is full', { bytes: 1_048_400, maxBytes: 1_048_576 }, 'CALL_COMMANDS is full (1048400 of 1048576 bytes)'],
  ['there is no stream', null, 'Run: callctl provision'],
  ['nothing comes back', { bytes: 1_048_400, maxBytes: -1 }, 'within 0.02 s: repeat this'],
])('a command that is not taken ends within its deadline; when %s the operator is told', async (_what, fill, words) => {
  await expect(publishCommand(silent(fill), command, never, 20)).rejects.toThrow(words);
});

test('Ctrl-C ends it with its own reason', async () => {
  const stopping = new AbortController();
  const publishing = publishCommand(silent({ bytes: 0, maxBytes: 0 }), command, stopping.signal, 60_000);
  stopping.abort(new Error('stopped'));
  await expect(publishing).rejects.toThrow('stopped');
});
