import { STREAMS } from '@pipeline/contracts';
import type { Connection } from './connection.ts';
import { messageFrom } from './direct-get.ts';
import { parseEvent } from './event-message.ts';

/** The part of `max_bytes` up to which worked commands of retention are left alone: a sweep goes on until half of it is used. */
const FILL_LIMIT = 0.25;
/** Messages that one run looks at, some 10 MiB of commands. The next run goes on. */
const MOST_LOOKS = 20_000;
/** Stretches of the stream that are looked through at the same time. */
const AT_ONCE = 8;

/**
 * Removes commands to end a retention that everybody has settled: all before `end`, the first sequence that stays. A retention asks for one
 * command a call, so they would fill the stream, and nobody reads them again. Requests of people stay among them until their age: they
 * tell what has to be erased again after a restored backup. Only once the stream is a quarter full. Answers with how many messages were
 * removed, or with `dryRun` would be. Repeating it and two at once are safe.
 */
export async function dropWorkedRetention(
  connection: Connection,
  { end, dryRun = false }: { readonly end: number; readonly dryRun?: boolean },
): Promise<number> {
  const { config, state } = await connection.jsm.streams.info(COMMANDS);
  if (config.max_bytes <= 0 || state.bytes <= FILL_LIMIT * config.max_bytes) return 0;
  const size = Math.ceil((end - state.first_seq) / AT_ONCE);
  let [looks, removed] = [0, 0];
  const walk = async (from: number, to: number): Promise<void> => {
    for (let seq = from; seq < to && looks < MOST_LOOKS; looks += 1) {
      const found = await messageFrom(connection, COMMANDS, seq);
      if (found === null || found.seq >= to) return;
      const gone = !isRetention(found) ? 0 : dryRun ? 1 : await remove(connection, found.seq);
      removed += gone;
      seq = found.seq + 1;
    }
  };
  const starts = Array.from({ length: AT_ONCE }, (_, at) => state.first_seq + at * size);
  await Promise.all(starts.map((from) => walk(from, Math.min(end, from + size))));
  return removed;
}

const COMMANDS = STREAMS['call.erase'];

function isRetention({ subject, data }: { readonly subject: string; readonly data: Uint8Array }): boolean {
  const reading = parseEvent('call.erase', subject, data);
  return reading.kind === 'event' && reading.event.type === 'call.erase' && reading.event.data.because === 'retention';
}

/** How many messages went: none when another run was faster, which the server tells by no number of its own. */
async function remove(connection: Connection, seq: number): Promise<number> {
  try {
    // Not overwritten on the disk: they hold ids alone.
    return (await connection.jsm.streams.deleteMessage(COMMANDS, seq, false)) ? 1 : 0;
  } catch (error) {
    if ((await messageFrom(connection, COMMANDS, seq))?.seq !== seq) return 0;
    throw error;
  }
}
