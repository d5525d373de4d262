import type { EndpointCensus } from '@pipeline/call-store/deliveries';
import type { Logger } from '@pipeline/runtime';

export interface UpkeepDeps {
  /** Makes overdue rows known to their endpoints; answers how many endpoints did not know. */
  healDue(signal: AbortSignal): Promise<number>;
  census(signal: AbortSignal): Promise<EndpointCensus>;
  onCensus(census: EndpointCensus): void;
  readonly logger: Logger;
}

/** Every sixth look heals as well: that one goes over all open rows. */
const HEAL_EVERY = 6;

/** What is done now and then beside sending, by every replica: it is cheap and may be done twice. */
export function createUpkeep(deps: UpkeepDeps, everyMs: number) {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;

  const look = async (): Promise<void> => {
    try {
      deps.onCensus(await deps.census(stopping.signal));
      if (looks % HEAL_EVERY === 0) {
        const count = await deps.healDue(stopping.signal);
        if (count > 0) deps.logger.warn({ count }, '[WEBHOOK] overdue deliveries were made known to their endpoints');
      }
      looks += 1;
    } catch (error) {
      // The loop that claims says when the database does not answer.
      if (!stopping.signal.aborted) deps.logger.debug({ err: error }, '[WEBHOOK] upkeep waits for the database');
    }
    if (!stopping.signal.aborted) timer = setTimeout(() => void look(), everyMs);
  };
  return {
    start: (): void => void look(),
    stop: (): void => {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}
