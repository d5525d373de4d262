import type { FieldDefinition, NewCallLog } from '@pipeline/contracts';
import { createCounter, type Logger, type Service } from '@pipeline/runtime';
import type { EraseOutcome } from './erase.ts';

/**
 * The lines that operators look for. City and service are said by value, unless the business calls them sensitive; of every other
 * field only its key and status.
 */
export function createReport(
  logger: Pick<Logger, 'info'>,
): (log: NewCallLog, definitions: readonly FieldDefinition[]) => void {
  return ({ callSid, extracted_city: city, extracted_service: service, fields }, definitions) => {
    const mayBeSaid = (key: string) => definitions.some((field) => field.key === key && !field.sensitive);
    if (city !== null && mayBeSaid('city')) {
      logger.info({ callSid }, `[OFFLINE_EXTRACT] ✅ Extracted city: '${city}'`);
    }
    if (service !== null && mayBeSaid('service')) {
      logger.info({ callSid }, `[OFFLINE_EXTRACT] ✅ Extracted service: '${service}'`);
    }
    const statuses = Object.fromEntries(fields.map(({ key, status }) => [key, status]));
    logger.info({ callSid, fields: statuses, count: fields.length }, '[OFFLINE_EXTRACT] CallLog stored');
  };
}

/** The line and the count of a command to forget a call. One of a business that the call does not belong to changes nothing and is a warning. */
export function createEraseReport(
  logger: Pick<Logger, 'info' | 'warn'>,
  count: (outcome: EraseOutcome) => void = () => undefined,
) {
  return (callSid: string, outcome: EraseOutcome): void => {
    count(outcome);
    if (outcome === 'other_business') logger.warn({ callSid, outcome }, 'not erased: the call is of another business');
    else logger.info({ callSid, outcome }, LINES[outcome]);
  };
}

const LINES: Readonly<Record<Exclude<EraseOutcome, 'other_business'>, string>> = {
  erased: 'call erased',
  already: 'call erased',
  expired: 'call emptied: its retention is over',
  kept: 'call kept: its retention is not over',
};

/** Counts commands to forget a call by what came of them. */
export function countForgotten(registry: Service['registry']): (outcome: EraseOutcome) => void {
  return createCounter(registry, {
    name: 'extractor_commands_total',
    help: 'Commands to forget a call, by what came of them.',
    label: 'outcome',
  });
}
