import type { EndpointCensus } from '@pipeline/call-store/deliveries';
import type { Logger } from '@pipeline/runtime';

export interface UpkeepDeps {
  /** Makes overdue rows known to their endpoints, when it is the turn of this replica; answers how often one did not know. */
  healDue(signal: AbortSignal): Promise<number>;
  census(signal: AbortSignal): Promise<EndpointCensus>;
  onCensus(census: EndpointCensus): void;
  readonly logger: Logger;
}

/** What is done now and then beside sending, by every replica: it is cheap, or theirs by turns. */
export function createUpkeep(deps: UpkeepDeps, everyMs: number) {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    try {
      deps.onCensus(await deps.census(stopping.signal));
      await heal();
    } catch (error) {
      // The loop that claims says when the database does not answer.
      if (!stopping.signal.aborted) deps.logger.debug({ err: error }, '[WEBHOOK] upkeep waits for the database');
    }
    if (!stopping.signal.aborted) timer = setTimeout(() => void look(), everyMs);
  };
  /** One that fails although the database answers is told, because nothing else tells of rows that stand still. */
  const heal = async (): Promise<void> => {
    try {
      const count = await deps.healDue(stopping.signal);
      if (count > 0) deps.logger.warn({ count }, '[WEBHOOK] overdue deliveries were made known to their endpoints');
    } catch (error) {
      if (stopping.signal.aborted) return;
      deps.logger.warn({ err: error }, '[WEBHOOK] it could not be seen whether overdue deliveries are known');
    }
  };
  return {
    start: (): void => void look(),
    stop: (): void => {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}
