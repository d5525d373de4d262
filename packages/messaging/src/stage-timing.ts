/** How a stage works its messages; the parsed `stageVariables` of the runtime fit, whole service configurations too. */
export type StageTiming = {
  /** Messages worked at the same time by one process. */
  readonly SLOTS: number;
  /** Milliseconds of the first retry delay; it doubles. */
  readonly RETRY_BASE_MS: number;
  readonly RETRY_MAX_MS: number;
  /** Milliseconds, from the message's own time, after which a failing provider is given up. */
  readonly PROVIDER_DEADLINE_MS: number;
  /** Milliseconds between two tries of a paused stage. */
  readonly PAUSE_PROBE_MS: number;
  /** Milliseconds between look-ups for a recording; the last one repeats. Only transcriber has it. */
  readonly RECORDING_LOOKUP_MS?: readonly number[];
  /** Milliseconds, from the message's own time, after which a recording is given up. Only transcriber has it. */
  readonly RECORDING_DEADLINE_MS?: number;
  /** Milliseconds that one pull waits at the server, so that a stop waits for as long. Default 3 s. */
  readonly PULL_EXPIRES_MS?: number;
  /** Milliseconds that the process has to stop; what is in hand is aborted shortly before. Default: never aborted. */
  readonly SHUTDOWN_GRACE_MS?: number;
};
