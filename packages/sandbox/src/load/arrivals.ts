import { machineUs } from './clock.ts';
import { createLatencies, type LatencyCounts } from './latencies.ts';
import type { FrameStamp } from './stamp.ts';

/** Frames of one call in one direction, as they arrived. `seen` counts each sequence number once. */
export type Arrived = {
  readonly call: number;
  /** The highest sequence number so far; -1 before the first. */
  highest: number;
  seen: number;
  repeated: number;
  damaged: number;
  foreign: number;
};

/** Takes what arrives in one direction in one process: which frames, and how long each was on its way. */
export type Arrivals = {
  /** Latencies are noted of frames sent from then until then, on the machine's clock. */
  measure(window: MeasuredWindow): void;
  /** A frame arrived on a line: `expectedCall` is `null` as long as the line's call is not known. Returns the call it names. */
  take(payload: string, expectedCall: number | null): number | null;
  readonly calls: readonly Arrived[];
  readLatencies(): LatencyCounts;
};

/** On the machine's clock. */
export type MeasuredWindow = { readonly fromUs: number; readonly untilUs: number };

/** Makes {@link Arrivals} for frames of one size. */
export function createArrivals(stamp: FrameStamp): Arrivals {
  const calls = new Map<number, Arrived>();
  let latencies = createLatencies();
  let window: MeasuredWindow = { fromUs: Infinity, untilUs: Infinity };

  const of = (call: number): Arrived => {
    const known = calls.get(call) ?? { call, highest: -1, seen: 0, repeated: 0, damaged: 0, foreign: 0 };
    calls.set(call, known);
    return known;
  };

  return {
    measure: (next) => {
      window = next;
      latencies = createLatencies();
    },
    take: (payload, expectedCall) => {
      const frame = stamp.read(payload);
      if (frame.kind !== 'whole' || (expectedCall !== null && frame.stamp.call !== expectedCall)) {
        if (expectedCall !== null) of(expectedCall)[frame.kind === 'foreign' ? 'foreign' : 'damaged'] += 1;
        return null;
      }
      const { call, sequence, sentUs } = frame.stamp;
      const arrived = of(call);
      // A socket keeps order, so a number that is not above all before it was seen before, or was overtaken: either is wrong.
      if (sequence <= arrived.highest) arrived.repeated += 1;
      else {
        arrived.highest = sequence;
        arrived.seen += 1;
      }
      if (sentUs >= window.fromUs && sentUs < window.untilUs) latencies.note(machineUs() - sentUs);
      return call;
    },
    get calls() {
      return [...calls.values()];
    },
    readLatencies: () => latencies.read(),
  };
}
