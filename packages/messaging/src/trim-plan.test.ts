import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trimBefore } from './trim-plan.ts';

/** A stream as somebody would write it down: sequences that are left, in order, and how many of the first are old. */
const stream = fc
  .record({
    seqs: fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
    oldCount: fc.nat(60),
    ackFloors: fc.array(fc.integer({ min: 0, max: 420 }), { minLength: 1, maxLength: 4 }),
  })
  .map(({ seqs, ...rest }) => ({ seqs: seqs.toSorted((one, other) => one - other), ...rest }));

describe('where a stream is cut', () => {
  it('property: everything that may go goes, and nothing that is unsettled or young, whatever the gaps', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async ({ seqs, oldCount, ackFloors }) => {
        const old = new Set(seqs.slice(0, oldCount));
        const firstSeq = seqs[0] ?? 0;
        const isOld = async (seq: number): Promise<boolean> => {
          const next = seqs.find((one) => one >= seq);
          return next !== undefined && old.has(next);
        };
        const plan = await trimBefore({ firstSeq, ackFloors }, isOld);
        const before = plan.kind === 'trim' ? plan.before : 0;
        const mayGo = seqs.filter((seq) => old.has(seq) && ackFloors.every((floor) => seq <= floor));
        expect(seqs.filter((seq) => seq < before)).toEqual(mayGo);
        expect(plan.kind === 'trim').toBe(mayGo.length > 0);
      }),
      { numRuns: 3_000 },
    );
  });

  it('a stream whose first message waits loses nothing, and nobody is asked for its age', async () => {
    const asked: number[] = [];
    const isOld = async (seq: number): Promise<boolean> => asked.push(seq) > 0;
    expect(await trimBefore({ firstSeq: 5, ackFloors: [9, 4] }, isOld)).toEqual({ kind: 'unsettled' });
    expect(asked).toEqual([]);
  });

  it('a million messages take some twenty looks', async () => {
    let looks = 0;
    const isOld = async (seq: number): Promise<boolean> => {
      looks += 1;
      return seq <= 654_321;
    };
    expect(await trimBefore({ firstSeq: 1, ackFloors: [1_000_000] }, isOld)).toEqual({ kind: 'trim', before: 654_322 });
    expect(looks).toBeLessThanOrEqual(21);
  });
});
