/**
 * The time of day of the broker, which also stamped every message: an age is told by one clock, whatever the clock of this machine says,
 * and setting that one changes nothing. Exact to the time that an answer of the broker takes.
 */
export type BrokerClock = {
  /** Takes the time of an answer of the broker, RFC 3339; anything else is passed over. */
  note(time: string | undefined): void;
  /** Milliseconds since 1970; by this machine's clock until the broker has told its own. */
  now(): number;
};

/** A clock of one connection. The parameters are for tests. */
export function createBrokerClock(
  local: () => number = Date.now,
  elapsed: () => number = () => performance.now(),
): BrokerClock {
  let told: { readonly time: number; readonly at: number } | null = null;
  return {
    note: (text) => {
      const time = text === undefined ? Number.NaN : Date.parse(text);
      if (!Number.isNaN(time)) told = { time, at: elapsed() };
    },
    now: () => (told === null ? local() : told.time + (elapsed() - told.at)),
  };
}
