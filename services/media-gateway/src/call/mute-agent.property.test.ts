import fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits, plan } from '../testing/examples.ts';
import { newCall, type CallEffect, type CallInput, type TimerName } from './call.ts';
import { reduce } from './reduce.ts';

const RUNS = 3_000;
/** Only the agent is on trial here. */
const PATIENT = { ...plan, limits: { ...limits, mediaIdleMs: 1e9, maxCallMs: 1e9, farewellMs: 1e9 } };
const { answerMs } = limits;

/** What an agent and a caller do, and how long after what was before. Nothing is written down, so every new session owes the greeting. */
const happenings = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(3_000), fc.integer({ min: answerMs - 1, max: answerMs + 1 })),
    what: fc.constantFrom(
      'agent_ready',
      'agent_lost',
      'agent_response_started',
      'agent_audio',
      'done',
      'failed',
      'caller_started',
      'caller_stopped',
    ),
  }),
  { minLength: 10, maxLength: 40 },
);
type What = (typeof happenings extends fc.Arbitrary<(infer H)[]> ? H : never) extends { what: infer W } ? W : never;

function inputOf(what: What, index: number): CallInput {
  switch (what) {
    case 'agent_lost':
      return { kind: what, reason: 'closed_1006' };
    case 'agent_audio':
      return { kind: what, itemId: `a${index}`, payload: 'AAAA', ms: 20 };
    case 'done':
    case 'failed':
      return { kind: 'agent_response_done', hasFailed: what === 'failed' };
    case 'caller_started':
      return { kind: what, itemId: `c${index}`, atMs: null };
    case 'caller_stopped':
      return { kind: what, itemId: `c${index - 1}` };
    default:
      return { kind: what };
  }
}

/** What the agent owes after it, by the words of the design: null, or since when. */
function owedAfter(what: What, owedSince: number | null, at: number): number | null {
  switch (what) {
    case 'agent_ready':
    case 'caller_stopped':
    case 'failed':
      return at;
    case 'agent_response_started':
      return owedSince;
    default:
      return null;
  }
}

it(`gives up an agent that owes a word for ${answerMs} ms, then and never otherwise (${RUNS} calls)`, () => {
  const seen = { mute: 0, spoke: 0 };
  fc.assert(
    fc.property(happenings, (given) => {
      let { call } = newCall(PATIENT);
      let at = PATIENT.startedAt;
      let owedSince: number | null = null;
      const timers = new Map<TimerName, number>();
      const take = (input: CallInput): void => {
        const step = reduce(call, input, at);
        ({ call } = step);
        for (const effect of step.effects) perform(effect);
      };
      const perform = (effect: CallEffect): void => {
        if (effect.kind === 'set_timer') timers.set(effect.timer, at + effect.ms);
        if (effect.kind !== 'close_agent' || effect.lostBy === undefined) return;
        expect([effect.lostBy, owedSince === null ? null : at - owedSince]).toEqual(['mute', answerMs]);
        owedSince = null;
        seen.mute += 1;
      };
      const ringUntil = (until: number): void => {
        const due = [...timers].filter(([, when]) => when <= until).toSorted(([, a], [, b]) => a - b)[0];
        if (due === undefined) return;
        timers.delete(due[0]);
        at = due[1];
        take({ kind: 'timer', timer: due[0] });
        ringUntil(until);
      };
      take({ kind: 'media_started' });
      take({ kind: 'agent_ready' });
      owedSince = at;
      for (const [index, { what, afterMs }] of given.entries()) {
        const then = at + afterMs;
        ringUntil(then);
        at = then;
        if (call.phase !== 'live') return;
        expect(owedSince === null ? 0 : at - owedSince).toBeLessThan(answerMs);
        const isHeard = what === 'agent_ready' ? call.agent.state === 'connecting' : call.agent.state === 'ready';
        if (!isHeard) continue;
        take(inputOf(what, index));
        owedSince = owedAfter(what, owedSince, at);
        seen.spoke += Number(what === 'agent_audio');
      }
    }),
    { numRuns: RUNS },
  );
  expect(seen.mute, 'agents that were given up').toBeGreaterThan(RUNS / 10);
  expect(seen.spoke, 'agents that spoke').toBeGreaterThan(RUNS / 10);
});
