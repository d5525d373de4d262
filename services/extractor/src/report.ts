import type { FieldDefinition, NewCallLog } from '@pipeline/contracts';
import type { Logger } from '@pipeline/runtime';

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

/** The line of an erase command. A command of a business that the call does not belong to changes nothing and is a warning. */
export function createEraseReport(logger: Pick<Logger, 'info' | 'warn'>) {
  return (callSid: string, outcome: 'erased' | 'already' | 'other_business'): void => {
    if (outcome === 'other_business') logger.warn({ callSid, outcome }, 'not erased: the call is of another business');
    else logger.info({ callSid, outcome }, 'call erased');
  };
}
