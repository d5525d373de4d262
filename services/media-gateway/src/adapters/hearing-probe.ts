/**
 * A session may go deaf while its socket lives on: pongs come from whoever holds the socket. So a session that says nothing for a while is
 * asked something that only itself can answer. While it talks nothing is asked, but for once at its beginning: to know that it answers.
 *
 * Invariants:
 * H1 deaf is only who has answered such a question before in this session: a server that takes it for nothing is never blamed;
 * H2 and whose socket answered meanwhile, so that the network is not it;
 * H3 and who said nothing at all for `afterMs` since then, looked at several times: a process that was held up reads before it judges.
 */
export type HearingProbe = {
  /** The session said something, whatever it was. */
  reported(): void;
  /** It was the answer to the question. */
  answered(): void;
  /** It refused the question: nothing is asked any more. */
  refused(): void;
  /** The socket lives. */
  ponged(): void;
  stop(): void;
};

/** Looks in the time that an answer may take. */
const LOOKS = 3;

/** `ask` sends the question, and a ping behind it. */
export function createHearingProbe(afterMs: number, ask: () => void, onDeaf: () => void): HearingProbe {
  let isNew = true;
  let hasReported = false;
  let isKnownToAnswer = false;
  /** Looks since the last report. */
  let quietLooks = 0;
  /** How many it were when the socket answered. */
  let quietAtPong: number | null = null;

  const timer = setInterval(() => {
    quietLooks = hasReported ? 0 : quietLooks + 1;
    if (hasReported) quietAtPong = null;
    hasReported = false;
    if (isNew || quietLooks === 1) ask();
    isNew = false;
    if (isKnownToAnswer && quietAtPong !== null && quietLooks - quietAtPong >= LOOKS) onDeaf();
  }, afterMs / LOOKS);

  return {
    reported: () => {
      hasReported = true;
    },
    answered: () => {
      isKnownToAnswer = true;
    },
    refused: () => clearInterval(timer),
    ponged: () => {
      if (quietLooks > 0) quietAtPong ??= quietLooks;
    },
    stop: () => clearInterval(timer),
  };
}
