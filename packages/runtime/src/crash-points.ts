/** A place in the code where a fault test may kill the process. */
export type CrashPoint = (point: string) => void;

/**
 * The crash points of the fault tests: `CRASH_AT=tr.before_ack:2` kills the process, without any farewell, when it passes
 * `tr.before_ack` for the second time. Inert when unset; the configuration refuses it in production.
 */
export function createCrashPoints(
  crashAt: string | undefined,
  kill: () => void = () => process.kill(process.pid, 'SIGKILL'),
): CrashPoint {
  if (crashAt === undefined) return () => undefined;
  const [target, count] = crashAt.split(':');
  let left = Number(count);
  return (point) => {
    if (point !== target) return;
    left -= 1;
    if (left === 0) kill();
  };
}
