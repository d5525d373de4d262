import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stepsOf, type CallScript } from './script.ts';

const SCRIPT: CallScript = {
  from: '+972501',
  to: '+972731',
  direction: 'inbound',
  silent: false,
  turns: [],
  ending: 'caller_hangs_up',
};
const turn = fc.record({
  speaker: fc.constantFrom('caller' as const, 'agent' as const),
  text: fc.string({ minLength: 1 }),
});

test('every script says the caller’s turns in order, listens to as many of the agent, and comes to an end', () => {
  fc.assert(
    fc.property(
      fc.array(turn, { maxLength: 12 }),
      fc.constantFrom('caller_hangs_up' as const, 'agent_hangs_up' as const),
      (turns, ending) => {
        const steps = stepsOf({ ...SCRIPT, turns, ending });
        const said = steps.flatMap((step) => (step.kind === 'speak' ? [step.text] : []));
        expect(said).toEqual(turns.flatMap((one) => (one.speaker === 'caller' ? [one.text] : [])));
        const last = steps.at(-1)?.kind;
        expect(last).toBe(ending === 'agent_hangs_up' && turns.length > 0 ? 'await_hang_up' : 'hang_up');
        if (last !== 'hang_up') return;
        const listened = steps.reduce((sum, step) => sum + (step.kind === 'listen' ? step.utterances : 0), 0);
        expect(listened).toBe(turns.filter((one) => one.speaker === 'agent').length);
      },
    ),
  );
});

test('a caller who interrupts speaks when enough was heard, and does not wait for the end', () => {
  const turns = [
    { speaker: 'agent', text: 'A long story.' },
    { speaker: 'caller', text: 'Stop.', interruptsAfterMs: 900 },
    { speaker: 'agent', text: 'Yes?' },
  ] as const;
  expect(stepsOf({ ...SCRIPT, turns: [...turns] })).toEqual([
    { kind: 'interrupt', afterMs: 900 },
    { kind: 'speak', text: 'Stop.' },
    { kind: 'listen', utterances: 1 },
    { kind: 'hang_up' },
  ]);
});

test('a silent caller stays, one without turns leaves at once', () => {
  expect(stepsOf({ ...SCRIPT, silent: true, silentSeconds: 3 })).toEqual([
    { kind: 'wait', ms: 3_000 },
    { kind: 'hang_up' },
  ]);
  expect(stepsOf({ ...SCRIPT, silent: true })).toEqual([{ kind: 'wait', ms: 5_000 }, { kind: 'hang_up' }]);
  expect(stepsOf(SCRIPT)).toEqual([{ kind: 'wait', ms: 200 }, { kind: 'hang_up' }]);
});
