import type { SessionContext } from './context.ts';
import type { Cut, Response } from './response.ts';

export type ResponseRunner = {
  /** Sends the events of a response, the first step after `delayMs` (at once when 0). */
  run(response: Response, delayMs: number): void;
  /** Ends the running response before its time. */
  cut(how: Cut): void;
  readonly current: Response | null;
};

/** Runs the responses of a session, one at a time, at the pace of the session. */
export function createResponseRunner({ send, timers, pace }: SessionContext): ResponseRunner {
  let current: Response | null = null;

  const step = (response: Response): void => {
    if (current !== response) return;
    const events = response.next();
    if (events === null) {
      current = null;
      return;
    }
    events.forEach(send);
    timers.after(pace.deltaIntervalMs, () => step(response));
  };

  return {
    run: (response, delayMs) => {
      current = response;
      if (delayMs > 0) timers.after(delayMs, () => step(response));
      else step(response);
    },
    cut: (how) => {
      const cut = current;
      current = null;
      cut?.cut(how).forEach(send);
    },
    get current() {
      return current;
    },
  };
}
