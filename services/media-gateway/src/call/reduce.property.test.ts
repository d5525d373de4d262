import { callEndedSchema } from '@pipeline/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../testing/examples.ts';
import { FINAL_STATUSES, newCall, type CallEffect, type CallInput } from './call.ts';
import { reduce } from './reduce.ts';

/** Sequences of the property that matters most. */
const RUNS = 10_000;

const item = fc.constantFrom('a', 'b', 'c', 'd');
const reports: fc.Arbitrary<CallInput> = fc.oneof(
  fc.record({ kind: fc.constant('media_audio' as const), payload: fc.constant('AAAA'), ms: fc.nat(40) }),
  fc.record({ kind: fc.constant('media_mark' as const), name: fc.stringMatching(/^[1-4]:\d{1,4}:[abcd]$/) }),
  fc.constantFrom<CallInput>(
    { kind: 'media_started' },
    { kind: 'agent_ready' },
    { kind: 'agent_response_started' },
    { kind: 'agent_leaves' },
    { kind: 'agent_lost', reason: 'closed_1006' },
    { kind: 'published' },
  ),
  fc.record({ kind: fc.constant('agent_response_done' as const), hasFailed: fc.boolean() }),
  fc.record({ kind: fc.constant('agent_audio' as const), itemId: item, payload: fc.constant('AAAA'), ms: fc.nat(400) }),
  fc.record({ kind: fc.constant('agent_audio_done' as const), itemId: item }),
  fc.record({
    kind: fc.constantFrom('agent_text' as const, 'caller_text' as const),
    itemId: item,
    text: fc.string(),
    isFinal: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('item_added' as const),
    itemId: item,
    previousItemId: fc.option(item),
    speaker: fc.constantFrom('caller' as const, 'agent' as const, null),
  }),
  fc.record({ kind: fc.constant('caller_started' as const), itemId: item, atMs: fc.option(fc.nat(60_000)) }),
  fc.record({ kind: fc.constantFrom('caller_stopped' as const, 'caller_text_failed' as const), itemId: item }),
);

/** Everything that may end a call at any time, in any order, once or often. */
const ends: fc.Arbitrary<CallInput> = fc.oneof(
  fc.constantFrom<CallInput>(
    { kind: 'media_stopped' },
    { kind: 'media_closed' },
    { kind: 'media_invalid' },
    { kind: 'congested' },
    { kind: 'refused' },
    { kind: 'drain' },
  ),
  fc.record({ kind: fc.constant('final_status' as const), status: fc.constantFrom(...FINAL_STATUSES) }),
  fc.record({
    kind: fc.constant('timer' as const),
    timer: fc.constantFrom('stream_wait' as const, 'media_idle' as const, 'max_duration' as const, 'farewell' as const),
  }),
);

const sequences = fc.array(
  fc.record({ input: fc.oneof({ weight: 6, arbitrary: reports }, { weight: 1, arbitrary: ends }), ms: fc.nat(30_000) }),
  { maxLength: 60 },
);

function play(inputs: readonly { input: CallInput; ms: number }[]) {
  let { call, effects } = newCall(plan);
  let at = plan.startedAt;
  const steps: { input: CallInput; effects: readonly CallEffect[]; wasPublished: boolean }[] = [];
  for (const { input, ms } of inputs) {
    at += ms;
    const wasPublished = steps.some((step) => step.effects.some((effect) => effect.kind === 'publish'));
    ({ call, effects } = reduce(call, input, at));
    steps.push({ input, effects, wasPublished });
  }
  return { call, steps, effects: steps.flatMap((step) => step.effects) };
}

const LAST: { input: CallInput; ms: number }[] = [
  { input: { kind: 'drain' }, ms: 1 },
  { input: { kind: 'timer', timer: 'grace' }, ms: 3_000 },
];

describe('any sequence of frames, callbacks, timers and closes', () => {
  it(`publishes exactly one valid event, at the latest when the grace has passed (${RUNS} sequences)`, () => {
    fc.assert(
      fc.property(sequences, (inputs) => {
        const events = play([...inputs, ...LAST]).effects.flatMap((effect) =>
          effect.kind === 'publish' ? [effect.event] : [],
        );
        expect(events).toHaveLength(1);
        expect(callEndedSchema.safeParse(events[0]).success).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('causes nothing after it has published but the hand-over, once', () => {
    fc.assert(
      fc.property(sequences, sequences, (before, after) => {
        const { steps } = play([...before, ...LAST, ...after]);
        const late = steps.filter((step) => step.wasPublished).flatMap((step) => step.effects);
        expect(late.filter((effect) => effect.kind !== 'hand_over')).toEqual([]);
        expect(late.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });

  it('names the first reason, whatever follows it', () => {
    fc.assert(
      fc.property(sequences, (inputs) => {
        let { call } = newCall(plan);
        let first: typeof call.end = null;
        for (const { input, ms } of [...inputs, ...LAST]) {
          ({ call } = reduce(call, input, plan.startedAt + ms));
          first ??= call.end;
          expect(call.end).toEqual(first);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('opens at most two sessions of the agent and closes the one that is open', () => {
    fc.assert(
      fc.property(sequences, (inputs) => {
        const { effects } = play([...inputs, ...LAST]);
        const opened = effects.filter((effect) => effect.kind === 'connect_agent').length;
        expect(opened).toBeLessThanOrEqual(2);
        expect(effects.filter((effect) => effect.kind === 'close_agent')).toHaveLength(opened > 0 ? 1 : 0);
      }),
      { numRuns: 1_000 },
    );
  });
});
