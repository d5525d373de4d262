import type { AiRoute } from './faults.ts';

/**
 * One request to the provider, as tests count them. A session of the agent is one entry, with status 101.
 */
export type AiRequest = {
  readonly route: AiRoute;
  readonly model: string | null;
  /** Size of the request's body; of a session, the caller audio that was appended so far. */
  readonly bytes: number;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  /** Status of the answer; null as long as there is none, and for ever if the connection went first. */
  readonly status: number | null;
  /** The dialogue that was recognized, or null. */
  readonly dialogueId: string | null;
  /** What was heard or asked, at most 2,000 characters: of a session, what the caller said. */
  readonly text: string;
  /** Responses of a session of the agent; 0 elsewhere. */
  readonly responses: number;
};
export type LedgerEntry = { -readonly [Key in keyof AiRequest]: AiRequest[Key] };

/** A long soak must not fill the memory: older entries leave. */
const MAX_ENTRIES = 10_000;
const MAX_TEXT = 2_000;

export type Ledger = {
  readonly requests: readonly AiRequest[];
  /** Adds an entry that the caller goes on to fill; `request` is what its answer is known by later. */
  open(route: AiRoute, bytes: number, request: object): LedgerEntry;
  /** Enters the status of the answer to a request; none for a request without an entry. */
  settle(request: object, status: number): void;
};

/** The ledger of one provider. */
export function createLedger(): Ledger {
  const requests: LedgerEntry[] = [];
  const entries = new WeakMap<object, LedgerEntry>();
  return {
    requests,
    settle: (request, status) => {
      const entry = entries.get(request);
      if (entry !== undefined) entry.status = status;
    },
    open: (route, bytes, request) => {
      const entry: LedgerEntry = {
        route,
        model: null,
        bytes,
        at: Date.now(),
        status: null,
        dialogueId: null,
        text: '',
        responses: 0,
      };
      requests.push(entry);
      entries.set(request, entry);
      if (requests.length > MAX_ENTRIES) requests.shift();
      return entry;
    },
  };
}

/** The part of a text that an entry keeps. */
export function excerpt(text: string): string {
  return text.slice(0, MAX_TEXT);
}
