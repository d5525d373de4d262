import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plan } from '../testing/examples.ts';
import { newCall, type CallInput } from './call.ts';
import { reduce } from './reduce.ts';

/** Sequences that each property is tried with. */
const RUNS = 10_000;

type Speaker = 'caller' | 'agent';

/** What an end of a call says of its reason. Written anew: the check shares nothing with the code. */
const ENDS = [
  [{ kind: 'media_stopped' }, 'stream_stopped'],
  [{ kind: 'media_closed' }, 'stream_closed'],
  [{ kind: 'media_invalid' }, 'media_invalid'],
  [{ kind: 'congested' }, 'congested'],
  [{ kind: 'refused' }, 'refused'],
  [{ kind: 'drain' }, 'drain'],
  [{ kind: 'timer', timer: 'max_duration' }, 'max_duration'],
  [{ kind: 'final_status', status: 'completed' }, 'completed'],
  [{ kind: 'final_status', status: 'failed' }, 'failed'],
] as const satisfies readonly (readonly [CallInput, string])[];

/** The reports of one turn, as a session sends them; the text of a caller's turn is apart, because it comes late. */
function turnReports(index: number, speaker: Speaker): { readonly now: CallInput[]; readonly later: CallInput[] } {
  const itemId = `item-${index}`;
  const text = `${speaker} says ${index}`;
  const added: CallInput = {
    kind: 'item_added',
    itemId,
    previousItemId: index === 0 ? null : `item-${index - 1}`,
    speaker,
  };
  if (speaker === 'caller') {
    return {
      now: [{ kind: 'caller_started', itemId, atMs: null }, { kind: 'caller_stopped', itemId }, added],
      later: [{ kind: 'caller_text', itemId, text, isFinal: true }],
    };
  }
  return {
    now: [
      { kind: 'agent_response_started' },
      added,
      { kind: 'agent_audio', itemId, payload: 'AAAA', ms: 200 },
      { kind: 'agent_text', itemId, text: `${speaker} says`, isFinal: false },
      { kind: 'agent_text', itemId, text: ` ${index}`, isFinal: false },
      { kind: 'agent_text', itemId, text, isFinal: true },
      { kind: 'agent_audio_done', itemId },
      { kind: 'agent_response_done', hasFailed: false },
    ],
    later: [],
  };
}

/** A conversation as inputs: texts of the caller late by some reports, frames and repeats in between, ends anywhere. */
const conversations = fc
  .record({
    speakers: fc.array(fc.constantFrom<Speaker>('caller', 'agent'), { maxLength: 8 }),
    lateBy: fc.array(fc.nat(25), { minLength: 8, maxLength: 8 }),
    noise: fc.array(fc.record({ at: fc.nat(80), repeats: fc.boolean() }), { maxLength: 20 }),
    ends: fc.array(fc.record({ at: fc.nat(80), which: fc.nat(ENDS.length - 1) }), { minLength: 1, maxLength: 5 }),
  })
  .map(({ speakers, lateBy, noise, ends }) => {
    const timed: { at: number; input: CallInput }[] = [];
    let at = 0;
    for (const [index, speaker] of speakers.entries()) {
      const { now, later } = turnReports(index, speaker);
      for (const input of now) timed.push({ at: (at += 1), input });
      for (const input of later) timed.push({ at: at + 0.5 + (lateBy[index] ?? 0), input });
    }
    const reports = timed.toSorted((a, b) => a.at - b.at).map(({ input }) => input);
    for (const { at: place, repeats } of noise) {
      const index = Math.min(place, reports.length);
      const before = reports[index - 1];
      const isRepeatable = before?.kind === 'item_added' || before?.kind === 'caller_text';
      reports.splice(index, 0, repeats && isRepeatable ? before : { kind: 'media_audio', payload: 'AAAA', ms: 20 });
    }
    for (const { at: place, which } of ends)
      reports.splice(Math.min(place, reports.length), 0, ENDS[which]?.[0] ?? ENDS[0][0]);
    return [{ kind: 'media_started' }, { kind: 'agent_ready' }, ...reports] as CallInput[];
  });

/** What the event must hold, by the words of the design: everything reported until the last words are in, or the grace is over. */
function expected(inputs: readonly CallInput[]): { reason: string; turns: string[] } {
  const texts = new Map<number, { pieces: string; whole: string | null }>();
  const open = new Set<string>();
  let reason: string | null = null;
  const numberOf = (itemId: string): number => Number(itemId.slice('item-'.length));
  for (const input of inputs) {
    reason ??= ENDS.find(([end]) => JSON.stringify(end) === JSON.stringify(input))?.[1] ?? null;
    if (input.kind === 'caller_started') open.add(input.itemId);
    if (input.kind === 'caller_text' || input.kind === 'agent_text') {
      const known = texts.get(numberOf(input.itemId)) ?? { pieces: '', whole: null };
      if (input.isFinal) known.whole ??= input.text;
      else known.pieces += input.text;
      texts.set(numberOf(input.itemId), known);
      open.delete(input.itemId);
    }
    if (reason !== null && open.size === 0) break;
  }
  const inOrder = [...texts].toSorted(([a], [b]) => a - b);
  return { reason: reason ?? 'none', turns: inOrder.map(([, { pieces, whole }]) => whole ?? pieces) };
}

it(`publishes one event with everything said until its end, in order, and the reason of the first end (${RUNS} conversations)`, () => {
  fc.assert(
    fc.property(conversations, (inputs) => {
      let { call } = newCall(plan);
      let at = plan.startedAt;
      const events = [...inputs, { kind: 'timer', timer: 'grace' } as const].flatMap((input) => {
        at += 20;
        const step = reduce(call, input, at);
        ({ call } = step);
        return step.effects.flatMap((effect) => (effect.kind === 'publish' ? [effect.event] : []));
      });
      expect(events).toHaveLength(1);
      const { reason, turns } = expected(inputs);
      expect(events[0]?.data.call.endedReason).toBe(reason);
      expect(events[0]?.data.liveTranscript?.map(({ text }) => text)).toEqual(turns);
    }),
    { numRuns: RUNS },
  );
});
