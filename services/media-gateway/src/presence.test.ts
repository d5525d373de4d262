import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPresence, type Presence } from './presence.ts';
import { CALL_SID, listeningLogger, plan, type LogLine } from './testing/examples.ts';
import { createTestDirectory } from './testing/directory.ts';
import { createMemoryBucket } from './testing/memory-bucket.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  stops.splice(0).forEach((stop) => stop());
  vi.useRealTimers();
});

/** A process that beats every 5 ms. `heard`: what it held to be so when each beat began. */
function beating() {
  const bucket = createMemoryBucket();
  const heard: boolean[] = [];
  const lines: LogLine[] = [];
  const presence: Presence = createPresence({
    processes: bucket.shared.processes,
    describe: () => {
      heard.push(presence.isHeard());
      return { instance: 'media-gateway/test', calls: 0 };
    },
    logger: listeningLogger(lines),
    beatMs: 5,
  });
  stops.push(presence.stop);
  const beats = () => heard.length;
  const more = async (count: number): Promise<void> => {
    const before = beats();
    await expect.poll(beats, { interval: 1 }).toBeGreaterThanOrEqual(before + count);
  };
  return { presence, bucket, heard, lines, more };
}

describe('a beat', () => {
  it('that is stored is never called unheard, whatever its repair work comes to', async () => {
    const { presence, heard, lines, more } = beating();
    let rounds = 0;
    presence.onBeat(() => Promise.reject(new Error('this can never be written')));
    presence.onBeat(async () => void (rounds += 1));
    presence.start();
    await more(10);
    expect(heard).not.toContain(false);
    expect(presence.readiness()).toEqual({ ok: true });
    expect(rounds, 'the work behind it is done').toBeGreaterThan(1);
    expect(lines.map(({ message }) => message)).toContain('what could not be shared before cannot be shared yet');
  });

  it('waits for no repair work, not even for one that never ends', async () => {
    const { presence, heard, more } = beating();
    let begun = 0;
    presence.onBeat(() => {
      begun += 1;
      return new Promise(() => undefined);
    });
    presence.start();
    await more(10);
    expect(begun).toBe(1);
    expect(heard).not.toContain(false);
  });

  it('that is not stored is called unheard, and the next one that is stored heard', async () => {
    const { presence, bucket } = beating();
    bucket.isAway = true;
    presence.start();
    await expect.poll(presence.isHeard).toBe(false);
    bucket.isAway = false;
    await expect.poll(presence.isHeard).toBe(true);
  });

  it('is heard by siblings in time while four hundred records are late and each takes 100 ms', async () => {
    vi.useFakeTimers();
    const slow = createMemoryBucket({ turn: () => new Promise((resolve) => setTimeout(resolve, 25)) });
    const owner = createTestDirectory({ bucket: slow, beatMs: 2_000 });
    const other = createTestDirectory({ bucket: createMemoryBucket({ entries: slow.entries }), beatMs: 2_000 });
    stops.push(owner.presence.stop, other.presence.stop);
    const opened = owner.directory.register(plan).then((token) => owner.directory.openStream(CALL_SID, token ?? ''));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await opened).not.toBeNull();

    slow.isAway = true;
    await vi.advanceTimersByTimeAsync(2_500);
    expect(owner.presence.isHeard()).toBe(false);
    const sidOf = (index: number) => `CA${String(index).padStart(32, '0')}`;
    for (let index = 0; index < 400; index += 1) void owner.directory.markPublished(sidOf(index));
    slow.isAway = false;

    const silences: boolean[] = [];
    const ends = new AbortController();
    const following = (async () => {
      for await (const known of other.directory.follow(CALL_SID, ends.signal))
        silences.push(known.kind !== 'owned' || known.isSilent);
    })();
    await vi.advanceTimersByTimeAsync(60_000);
    ends.abort();
    await vi.advanceTimersByTimeAsync(1_000);
    await following;
    expect(silences.length).toBeGreaterThan(200);
    expect(silences).not.toContain(true);
    expect(await other.directory.look(sidOf(399)), 'the records are written meanwhile').toEqual({ kind: 'published' });
  });
});

describe('repair work', () => {
  it('is never done twice at once, nor two pieces of it', async () => {
    const { presence, more } = beating();
    let [running, most, done] = [0, 0, 0];
    const lastsThreeBeats = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await more(3);
      running -= 1;
      done += 1;
    };
    presence.onBeat(lastsThreeBeats);
    presence.onBeat(lastsThreeBeats);
    presence.start();
    await expect.poll(() => done).toBeGreaterThan(5);
    expect(most).toBe(1);
  });

  it('is told to stop when a beat is not heard, and begins again when one is', async () => {
    const { presence, bucket } = beating();
    const signals: AbortSignal[] = [];
    presence.onBeat(async (signal) => {
      signals.push(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    presence.start();
    await expect.poll(() => signals.length).toBe(1);
    bucket.isAway = true;
    await expect.poll(() => signals[0]?.aborted).toBe(true);
    bucket.isAway = false;
    await expect.poll(() => signals.length).toBe(2);
    presence.stop();
    expect(signals[1]?.aborted).toBe(true);
  });
});
