import { z } from 'zod';
import { callSidSchema } from '@pipeline/contracts';
import { FINAL_STATUSES, type EndedCall } from '../ended-call.ts';
import type { CallPage } from '../handler.ts';

const MAX_ROWS = 1_000;
/** Letters of the link to the next page, which is kept between runs. */
const MAX_LINK = 4_096;

const pageSchema = z.object({
  calls: z.array(z.unknown()).max(MAX_ROWS),
  next_page_uri: z.string().max(MAX_LINK).nullish(),
});

/** RFC 2822, in whatever zone it names. */
const instantSchema = z.string().transform(Date.parse).pipe(z.number());

/** Numbers are kept as they came; what is longer than an event may hold is cut, for nobody can be called there. */
const addressSchema = z
  .string()
  .transform((text) => text.slice(0, 512) || null)
  .nullish()
  .transform((text) => text ?? null);

const DIRECTIONS = { inbound: 'inbound', 'outbound-api': 'outbound', 'outbound-dial': 'outbound' } as const;

const rowSchema = z.object({
  sid: callSidSchema,
  parent_call_sid: z.string().nullish(),
  from: addressSchema,
  to: addressSchema,
  direction: z.enum(['inbound', 'outbound-api', 'outbound-dial']).transform((direction) => DIRECTIONS[direction]),
  status: z.enum(FINAL_STATUSES),
  start_time: instantSchema.nullable().catch(null),
  end_time: instantSchema.nullable().catch(null),
  date_updated: instantSchema.nullable().catch(null),
  duration: z
    .string()
    .regex(/^\d{1,7}$/)
    .transform(Number)
    .nullable()
    .catch(null),
});

/** A row of a call that is still going on, which a list without an end of it may hold. */
const runningSchema = z.object({ status: z.enum(['queued', 'initiated', 'ringing', 'in-progress']) });

/** A page of Twilio's list of calls; null when it is none. A row that is no call as we know them is counted, not fatal. */
export function readPage(body: string): CallPage | null {
  const page = pageSchema.safeParse(parseJson(body));
  if (!page.success) return null;
  const calls: EndedCall[] = [];
  let unreadable = 0;
  for (const row of page.data.calls) {
    const call = callOf(rowSchema.safeParse(row).data);
    if (call !== null) calls.push(call);
    else if (!runningSchema.safeParse(row).success) unreadable += 1;
  }
  return { calls, unreadable, next: page.data.next_page_uri ?? null };
}

/**
 * Twilio promises an end only of calls that were completed; one that nobody answered was last touched when it ended. Without either
 * it has no place in time.
 */
function callOf(row: z.output<typeof rowSchema> | undefined): EndedCall | null {
  const endedAt = row?.end_time ?? row?.date_updated ?? null;
  if (row === undefined || endedAt === null) return null;
  return {
    callSid: row.sid,
    isChildLeg: typeof row.parent_call_sid === 'string' && row.parent_call_sid !== '',
    from: row.from,
    to: row.to,
    direction: row.direction,
    status: row.status,
    startedAt: row.start_time,
    endedAt,
    durationSec: row.duration,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
