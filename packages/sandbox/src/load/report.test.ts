import { expect, test } from 'vitest';
import { createLatencies } from './latencies.ts';
import { reportOf, type AgentReport, type CallerCall, type CallerReport } from './report.ts';

const latenciesOf = (...us: readonly number[]) => {
  const recorder = createLatencies();
  for (const one of us) recorder.note(one);
  return recorder.read();
};
const heard = (call: number, seen: number) => ({ call, highest: seen - 1, seen, repeated: 0, damaged: 0, foreign: 0 });
const placed = (call: number, sent: number, network: 'none' | 'drop' | 'stall' = 'none'): CallerCall => ({
  call,
  callSid: `CA${call}`,
  faults: { network, callback: 'once' },
  wasUp: true,
  sent,
  callbackStatuses: [204],
  problems: [],
});
const agentOf = (...seen: readonly number[]): AgentReport => ({
  heard: seen.map((count, call) => heard(call, count)),
  said: seen.map((_, call) => ({ call, sent: 10 })),
  latencies: latenciesOf(1_000),
  loopDelayP99Ms: 1,
});
const callersOf = (calls: readonly CallerCall[], loopDelayP99Ms = 2): CallerReport => ({
  calls,
  heard: calls.map(({ call }) => heard(call, 10)),
  latencies: latenciesOf(2_000),
  loopDelayP99Ms,
});

test('frames that arrive all are none lost, from however many processes they came', () => {
  const report = reportOf(agentOf(100, 50), [callersOf([placed(0, 100)]), callersOf([placed(1, 50)], 7)]);
  expect(report).toMatchObject({ calls: 2, up: 2, framesIn: 150, piecesOut: 20, framesLost: 0, loopDelayP99Ms: 7 });
  expect(report.toAgent.count).toBe(1);
  expect(report.toCaller.count).toBe(2);
});

test('a surplus of one call hides no loss of another, nor one direction that of the other', () => {
  const surplus = reportOf(agentOf(97, 53), [callersOf([placed(0, 100), placed(1, 50)])]);
  expect(surplus.framesLost).toBe(3);
  const mute = reportOf(agentOf(100), [{ ...callersOf([placed(0, 100)]), heard: [heard(0, 4)] }]);
  expect(mute.framesLost).toBe(6);
});

test('a call that nobody heard has lost all its frames', () => {
  expect(reportOf({ ...agentOf(), said: [] }, [callersOf([placed(0, 100)])]).framesLost).toBe(100);
});

test('only a call whose network was cut on purpose may lose frames', () => {
  const lossOf = (network: 'none' | 'drop' | 'stall') =>
    reportOf(agentOf(90), [callersOf([placed(0, 100, network)])]).framesLost;
  expect([lossOf('none'), lossOf('stall'), lossOf('drop')]).toEqual([10, 10, 0]);
});
