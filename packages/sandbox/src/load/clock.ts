/** Where this process's clock stands on the machine's monotonic clock. */
const [seconds, nanoseconds] = process.hrtime();
const OFFSET_US = seconds * 1e6 + nanoseconds / 1e3 - performance.now() * 1e3;

/** Microseconds on the machine's monotonic clock: the same in every process of the machine, so a frame's journey can be timed. */
export function machineUs(): number {
  return OFFSET_US + performance.now() * 1e3;
}
