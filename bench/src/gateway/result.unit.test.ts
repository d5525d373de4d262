import { expect, test } from 'vitest';
import type { LoadReport } from '@pipeline/sandbox/load';
import { resultOf, verdictOf, type MeasuredRound, type MeasuredRun } from './result.ts';

const latency = (p99Ms: number) => ({ count: 1_000, p50Ms: 0.5, p99Ms, maxMs: 9 });

function round(
  changes: Partial<LoadReport> & { readonly p99Ms?: number; readonly cpuShare?: number } = {},
): MeasuredRound {
  const { p99Ms = 2, cpuShare = 0.4, ...report } = changes;
  return {
    cpuShare,
    report: {
      calls: 250,
      up: 250,
      framesIn: 750_000,
      piecesOut: 75_000,
      framesLost: 0,
      framesRepeated: 0,
      framesDamaged: 0,
      toAgent: latency(p99Ms),
      toCaller: latency(p99Ms / 2),
      loopDelayP99Ms: 1,
      problems: [],
      ...report,
    },
  };
}
const run = (changes: Partial<MeasuredRun> = {}): MeasuredRun => ({
  seconds: 60,
  gateway: round(),
  relay: [round(), round()],
  gatewayAt100: round({ calls: 100, up: 100 }),
  ...changes,
});

test('the object has exactly these keys', () => {
  const keys = [
    'calls',
    'seconds',
    'framesIn',
    'framesLost',
    'p99AddedMs',
    'relayP99Ms',
    'p99AddedMsAt100',
    'cpuRatio',
  ];
  expect(Object.keys(resultOf(run()))).toEqual(keys);
});

test('latency is the worse direction, the relay is the mean of before and after', () => {
  const measured = run({
    gateway: round({ p99Ms: 4, cpuShare: 0.5 }),
    relay: [round({ p99Ms: 2, cpuShare: 0.3 }), round({ p99Ms: 3, cpuShare: 0.5 })],
    gatewayAt100: round({ toCaller: latency(7) }),
  });
  expect(resultOf(measured)).toMatchObject({ p99AddedMs: 4, relayP99Ms: 2.5, p99AddedMsAt100: 7, cpuRatio: 1.25 });
});

test('a run within all bounds holds, up to the bounds themselves', () => {
  expect(verdictOf(run())).toEqual({ kind: 'held' });
  // 1.3 x 2 + 5 ms, 1.3 x 0.4 CPU, 5 ms of the load's own delay.
  const limit = run({ gateway: round({ p99Ms: 7.6, cpuShare: 0.52, loopDelayP99Ms: 5 }) });
  expect(verdictOf(limit)).toEqual({ kind: 'held' });
});

test.each([
  ['a lost frame', { gateway: round({ framesLost: 1 }) }, '1 frames were lost'],
  ['a frame lost with 100 calls', { gatewayAt100: round({ framesLost: 2 }) }, '2 frames were lost'],
  ['a repeated frame', { gateway: round({ framesRepeated: 1 }) }, '1 frames came twice or late'],
  ['a changed frame', { gatewayAt100: round({ framesDamaged: 1 }) }, '1 with other bytes'],
  ['a call that never came up', { gateway: round({ up: 249 }) }, '1 of 250 calls never came up'],
  ['latency above the bound', { gateway: round({ p99Ms: 7.7 }) }, 'p99 added latency is 7.7 ms, above 7.6'],
  ['20 ms with 100 calls', { gatewayAt100: round({ p99Ms: 20 }) }, 'at 100 calls is 20 ms, not under 20'],
  ['CPU above the bound', { gateway: round({ cpuShare: 0.53 }) }, "CPU is 1.325 x the relay's"],
  ['a relay that used no CPU', { relay: [round({ cpuShare: 0 }), round({ cpuShare: 0 })] }, 'CPU is'],
] as const)('%s misses a bound', (_, changes, reason) => {
  const verdict = verdictOf(run(changes));
  expect(verdict.kind).toBe('missed');
  expect('reasons' in verdict ? verdict.reasons.join('; ') : '').toContain(reason);
});

test('a load that was late itself makes the run invalid, whatever the figures are', () => {
  for (const late of [
    { gateway: round({ loopDelayP99Ms: 5.1, framesLost: 3 }) },
    { relay: [round(), round({ loopDelayP99Ms: 5.1 })] as const },
    { gatewayAt100: round({ loopDelayP99Ms: 5.1 }) },
  ])
    expect(verdictOf(run(late)).kind).toBe('invalid');
});

test('a relay that lost frames or calls is no yardstick', () => {
  expect(verdictOf(run({ relay: [round(), round({ framesLost: 1 })] })).kind).toBe('invalid');
  expect(verdictOf(run({ relay: [round({ up: 249 }), round()] })).kind).toBe('invalid');
});
