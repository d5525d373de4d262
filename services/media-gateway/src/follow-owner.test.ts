import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KnownCall } from './call-directory.ts';
import { factsOf } from './call-record.ts';
import { followOwner } from './follow-owner.ts';
import { plan } from './testing/examples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const owned = (owner: string): KnownCall => ({
  kind: 'owned',
  record: { state: 'live', facts: factsOf(plan), owner },
  isSilent: false,
});

/** Follows a call of `A` for `ms` and says after how many of them it was called silent. */
async function silentAfter(
  ms: number,
  world: { look?: (at: number) => KnownCall; beat?: (at: number) => number | null; self?: string },
): Promise<number | null> {
  const stop = new AbortController();
  const start = performance.now();
  const at = () => performance.now() - start;
  const presence = {
    id: world.self ?? 'B',
    beatOf: async () => {
      const beat = (world.beat ?? (() => 1))(at());
      if (beat === null) throw new Error('the bucket is away');
      return beat;
    },
  };
  let silentAt: number | null = null;
  const following = (async () => {
    for await (const known of followOwner(async () => (world.look ?? (() => owned('A')))(at()), presence, stop.signal))
      if (known.kind === 'owned' && known.isSilent) silentAt ??= at();
  })();
  await vi.advanceTimersByTimeAsync(ms);
  stop.abort();
  await following;
  return silentAt;
}

describe('the owner of a call', () => {
  it('is silent six seconds after its last beat', async () => {
    expect(await silentAfter(10_000, {})).toBe(6_000);
    expect(await silentAfter(10_000, { beat: (at) => (at < 2_100 ? 1 : 2) })).toBe(8_250);
  });

  it('is not silent while it beats every two seconds, nor when two beats are missed', async () => {
    expect(await silentAfter(60_000, { beat: (at) => Math.floor(at / 2_000) })).toBeNull();
    expect(await silentAfter(60_000, { beat: (at) => Math.floor(at / 5_900) })).toBeNull();
  });

  it('is not silent while nobody could be heard: the six seconds begin anew', async () => {
    const outage = (at: number) => at > 3_000 && at < 4_000;
    expect(await silentAfter(20_000, { beat: (at) => (outage(at) ? null : 1) })).toBe(10_000);
    expect(await silentAfter(20_000, { look: (at) => (outage(at) ? { kind: 'away' } : owned('A')) })).toBe(10_000);
  });

  it('is another one when the call changed hands', async () => {
    expect(await silentAfter(20_000, { look: (at) => owned(at < 5_000 ? 'A' : 'C') })).toBe(11_000);
  });

  it('that is this process is silent about a call that was not found here for a second', async () => {
    expect(await silentAfter(10_000, { self: 'A', beat: (at) => at })).toBe(1_000);
  });
});
