import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import { createPauseGate, type Ending, type Turn } from './pause-gate.ts';

const PROBE_MS = 30_000;
const PAUSE: Ending = { kind: 'pause', reason: 'credentials' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function gateWithHistory() {
  const history: string[] = [];
  const gate = createPauseGate(PROBE_MS, (reason, paused) => void history.push(`${reason} ${paused ? 'on' : 'off'}`));
  return { gate, history };
}

/** The turn if the gate lets a slot through now, else null. The waiting slot stays there. */
async function tryEnter(gate: ReturnType<typeof createPauseGate>): Promise<Turn | null> {
  let turn: Turn | null = null;
  void gate.enter().then((given) => (turn = given));
  await vi.advanceTimersByTimeAsync(0);
  return turn;
}

async function mustEnter(gate: ReturnType<typeof createPauseGate>): Promise<Turn> {
  const turn = await tryEnter(gate);
  if (turn === null) throw new Error('the gate let nobody through');
  return turn;
}

describe('the pause of a stage', () => {
  it('lets everyone through while the provider accepts us', async () => {
    const { gate, history } = gateWithHistory();
    for (let slot = 0; slot < 5; slot += 1) (await mustEnter(gate)).leave({ kind: 'other' });
    expect(history).toEqual([]);
  });

  it('holds all slots after a rejection and lets one through per interval', async () => {
    const { gate, history } = gateWithHistory();
    (await mustEnter(gate)).leave(PAUSE);
    expect(await tryEnter(gate)).toBeNull();
    await vi.advanceTimersByTimeAsync(PROBE_MS - 1);
    expect(await tryEnter(gate)).toBeNull();
    expect(history).toEqual(['credentials on']);
    gate.stop();
  });

  it('at most one slot is through while paused, whatever the others bring back', async () => {
    const { gate } = gateWithHistory();
    const slow = await mustEnter(gate);
    (await mustEnter(gate)).leave(PAUSE);
    await vi.advanceTimersByTimeAsync(PROBE_MS);
    const probe = await mustEnter(gate);
    slow.leave({ kind: 'other' });
    expect(await tryEnter(gate)).toBeNull();
    await vi.advanceTimersByTimeAsync(10 * PROBE_MS);
    expect(await tryEnter(gate)).toBeNull();
    probe.leave({ kind: 'other' });
    gate.stop();
  });

  it('the first success resumes every slot at once', async () => {
    const { gate, history } = gateWithHistory();
    (await mustEnter(gate)).leave(PAUSE);
    const through: Turn[] = [];
    const enterAndKeep = async (): Promise<void> => {
      const turn = await gate.enter();
      if (turn !== null) through.push(turn);
    };
    for (let slot = 0; slot < 3; slot += 1) void enterAndKeep();
    await vi.advanceTimersByTimeAsync(PROBE_MS);
    expect(through).toHaveLength(1);
    through[0]?.leave({ kind: 'done' });
    await vi.advanceTimersByTimeAsync(0);
    expect(through).toHaveLength(3);
    expect(history).toEqual(['credentials on', 'credentials off']);
  });

  it('resumes on an answer of the provider and not on what was settled without it', async () => {
    for (const [ending, resumes] of [
      [{ kind: 'done' }, true],
      [{ kind: 'handed_on', code: 'PROVIDER_REFUSED' }, true],
      [{ kind: 'handed_on', code: 'NO_TRANSCRIPT' }, false],
      [{ kind: 'other' }, false],
      [PAUSE, false],
    ] as const) {
      const { gate, history } = gateWithHistory();
      (await mustEnter(gate)).leave(PAUSE);
      await vi.advanceTimersByTimeAsync(PROBE_MS);
      (await mustEnter(gate)).leave(ending);
      expect(history.at(-1)).toBe(resumes ? 'credentials off' : 'credentials on');
      expect((await tryEnter(gate)) !== null).toBe(resumes);
      gate.stop();
    }
  });

  it('a probe that finds no message may pull again at once', async () => {
    const { gate } = gateWithHistory();
    (await mustEnter(gate)).leave(PAUSE);
    await vi.advanceTimersByTimeAsync(PROBE_MS);
    (await mustEnter(gate)).leave(null);
    expect(await tryEnter(gate)).not.toBeNull();
    gate.stop();
  });

  it('an idle pull that began before the pause does not shorten it', async () => {
    const { gate } = gateWithHistory();
    const idle = await mustEnter(gate);
    (await mustEnter(gate)).leave(PAUSE);
    idle.leave(null);
    expect(await tryEnter(gate)).toBeNull();
    gate.stop();
  });

  it('says which rejection it is, and when it changes', async () => {
    const { gate, history } = gateWithHistory();
    (await mustEnter(gate)).leave(PAUSE);
    await vi.advanceTimersByTimeAsync(PROBE_MS);
    (await mustEnter(gate)).leave({ kind: 'pause', reason: 'quota' });
    expect(history).toEqual(['credentials on', 'credentials off', 'quota on']);
    gate.stop();
  });

  it('a stop releases everybody who waits', async () => {
    const { gate } = gateWithHistory();
    (await mustEnter(gate)).leave(PAUSE);
    const waiting = [gate.enter(), gate.enter()];
    gate.stop();
    expect(await Promise.all(waiting)).toEqual([null, null]);
  });

  it('with three slots and any endings, one at most goes through while paused, and one does after an interval', async () => {
    const endings = fc.array(fc.constantFrom<Ending | null>(PAUSE, { kind: 'done' }, { kind: 'other' }, null), {
      maxLength: 40,
    });
    const holds = fc.asyncProperty(endings, async (sequence) => {
      let isPaused = false;
      const gate = createPauseGate(PROBE_MS, (_reason, paused) => void (isPaused = paused));
      const through: { turn: Turn; enteredPaused: boolean }[] = [];
      const enter = async (): Promise<void> => {
        const turn = await gate.enter();
        if (turn !== null) through.push({ turn, enteredPaused: isPaused });
      };
      for (let slot = 0; slot < 3; slot += 1) void enter();
      for (const ending of sequence) {
        await vi.advanceTimersByTimeAsync(PROBE_MS);
        const next = through.shift();
        const probes = through.filter(({ enteredPaused }) => enteredPaused && isPaused).length;
        if (next === undefined || probes > 1) return false;
        next.turn.leave(ending);
        void enter();
      }
      gate.stop();
      return true;
    });
    expect(await fc.check(holds, { numRuns: 100 })).toMatchObject({ failed: false, counterexample: null });
  });
});
