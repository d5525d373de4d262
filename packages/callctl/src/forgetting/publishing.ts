import type { CallErase } from '@pipeline/contracts';
import type { Operator } from '@pipeline/messaging';
import { CommandError } from '../verb.ts';

type Commands = Pick<Operator, 'publish' | 'fillOf'>;

/** Milliseconds that the broker has for a command. */
const PUBLISH_DEADLINE_MS = 15_000;
/** Bytes that a command fits into, whatever its ids. */
const COMMAND_BYTES = 1_024;

/**
 * Publishes a command. Throws a CommandError that says what to do: at once when there is no stream for it or no room in it, and when the
 * broker has not taken it within 15 s.
 */
export async function publishCommand(
  operator: Commands,
  command: CallErase,
  stopped: AbortSignal,
  deadlineMs: number = PUBLISH_DEADLINE_MS,
): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const inTheWay = problemOf(await operator.fillOf('call.erase'));
  if (inTheWay !== null) throw new CommandError(inTheWay);
  try {
    await operator.publish(command, { signal: AbortSignal.any([stopped, deadline]) });
  } catch (error) {
    if (!deadline.aborted || stopped.aborted) throw error;
    throw new CommandError(`NATS did not take the command within ${deadlineMs / 1_000} s: repeat this`);
  }
}

function problemOf(fill: Awaited<ReturnType<Commands['fillOf']>>): string | null {
  if (fill === null) return 'NATS has no stream CALL_COMMANDS. Run: callctl provision';
  const { bytes, maxBytes } = fill;
  if (maxBytes <= 0 || maxBytes - bytes >= COMMAND_BYTES) return null;
  const full = `NATS takes no command, its stream CALL_COMMANDS is full (${bytes} of ${maxBytes} bytes)`;
  return `${full}. Look whether extractor works, run: callctl provision --trim, and repeat this`;
}
