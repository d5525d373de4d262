/** How a stage's part ended when it did not end well. */
export type FailedState = 'failed' | 'skipped';

type FailureEntry = { readonly state: FailedState; readonly meaning: string };

/**
 * Every failure code of the pipeline, each with the state it gives to the stage's part and one sentence for a person.
 * These are the only codes that appear in `stages.<stage>.code`; names are stable: append, never rename.
 */
export const FAILURES = {
  RECORDING_NOT_FOUND: { state: 'skipped', meaning: 'No completed recording appeared before RECORDING_DEADLINE.' },
  RECORDING_ABSENT: { state: 'skipped', meaning: 'Twilio says that the call has no recording.' },
  RECORDING_DELETED: { state: 'skipped', meaning: 'The recording was deleted before it could be transcribed.' },
  RECORDING_FAILED: { state: 'failed', meaning: 'Twilio says that recording the call failed.' },
  RECORDING_REFUSED: { state: 'failed', meaning: 'Twilio refused the recording with a status that cannot heal.' },
  AUDIO_UNREADABLE: { state: 'failed', meaning: 'The recording is not a WAV file of a kind that we read.' },
  AUDIO_TOO_LARGE: { state: 'failed', meaning: 'The recording is larger than MAX_AUDIO_BYTES.' },
  NO_SPEECH: { state: 'skipped', meaning: 'Nobody speaks in the recording, so nothing was sent to speech-to-text.' },
  NO_TRANSCRIPT: { state: 'skipped', meaning: 'There is no final transcript to work from.' },
  NO_SUMMARY: { state: 'skipped', meaning: 'There is no summary to extract fields from.' },
  BUSINESS_UNKNOWN: { state: 'failed', meaning: 'There are no settings for the business of this call.' },
  PROVIDER_UNAVAILABLE: { state: 'failed', meaning: 'The provider kept failing until PROVIDER_DEADLINE.' },
  PROVIDER_REJECTED: { state: 'failed', meaning: 'The provider refused the request with a status that cannot heal.' },
  PROVIDER_REFUSED: { state: 'failed', meaning: 'The model refused to answer.' },
  OUTPUT_TRUNCATED: { state: 'failed', meaning: 'The answer of the model was cut off before its end.' },
  OUTPUT_INVALID: { state: 'failed', meaning: 'The answer of the model does not have the asked form.' },
  EVENT_TOO_LARGE: { state: 'failed', meaning: 'The result is larger than an event or a document may be.' },
  OBJECT_MISSING: {
    state: 'failed',
    meaning: 'The large part of the event is gone from the object store or is corrupt.',
  },
  WORKER_CRASHED: { state: 'failed', meaning: 'The message killed its worker three times.' },
  INTERNAL_ERROR: { state: 'failed', meaning: 'An error of our own kept coming back until PROVIDER_DEADLINE.' },
  RECORDING_ENCRYPTED: {
    state: 'failed',
    meaning: 'The recording is encrypted with a key of the account, which we do not have.',
  },
  SPOOL_UNAVAILABLE: {
    state: 'failed',
    meaning: 'The disk could not take the recording (full, read-only or broken) until PROVIDER_DEADLINE.',
  },
  OUTPUT_WRONG_LANGUAGE: {
    state: 'failed',
    meaning: 'The model wrote in another language than the business asks for.',
  },
  OUTPUT_UNGROUNDED: {
    state: 'failed',
    meaning: 'The model wrote addresses, links or numbers that nobody said in the call.',
  },
  OUTPUT_LEAKED: { state: 'failed', meaning: 'The model repeated our own instructions instead of the call.' },
} as const satisfies Record<string, FailureEntry>;

/** One of the codes of {@link FAILURES}. */
export type FailureCode = keyof typeof FAILURES;

/** All codes as a tuple, for schemas. */
export const FAILURE_CODES = Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]; // Object.keys loses the literal type

/** What a model was paid for although nothing came of it: a refusal and an answer that was cut cost like any other. */
export type Spent = { readonly model: string; readonly usage: Readonly<Record<string, number>> };

/** What `handOn` is told about the part that failed. */
export type Failure = { readonly code: FailureCode; readonly state: FailedState; readonly spent?: Spent };

/** The failure of a code, with the state that the table gives to it, and what was paid for it. */
export function failureOf(code: FailureCode, spent?: Spent): Failure {
  return { code, state: FAILURES[code].state, ...(spent === undefined ? {} : { spent }) };
}

/**
 * Which deadline turns "again" into "part failed":
 * `recording` RECORDING_DEADLINE, `provider` PROVIDER_DEADLINE, `none` for our own NATS and MongoDB, which heal.
 */
export type DeadlineKind = 'recording' | 'provider' | 'none';

/** Why a whole stage stops pulling: the provider rejects us, not this call. */
export type PauseReason = 'credentials' | 'quota' | 'model';

export type RetryLaterOptions = {
  /** Milliseconds that the other side asked us to wait (`Retry-After`); the runner never comes earlier. */
  readonly retryAfterMs?: number;
  /** Which deadline ends the retries. Default `provider`. */
  readonly deadline?: DeadlineKind;
  /** The code handed on when that deadline has passed. Default `PROVIDER_UNAVAILABLE`. */
  readonly code?: FailureCode;
  /** Set when the provider rejects our credentials, quota or model: the stage pauses. */
  readonly pause?: PauseReason;
  /** Known when a provider was paid before it failed: what its part has cost when this was the last try. */
  readonly spent?: Spent;
  readonly cause?: unknown;
};

/** "Not now": the message is delivered again later, until its deadline. Thrown by adapters. */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError';
  readonly retryAfterMs: number | undefined;
  readonly deadline: DeadlineKind;
  readonly code: FailureCode;
  readonly pause: PauseReason | undefined;
  readonly spent: Spent | undefined;

  constructor(message: string, options: RetryLaterOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
    this.deadline = options.deadline ?? 'provider';
    this.code = options.code ?? 'PROVIDER_UNAVAILABLE';
    this.pause = options.pause;
    this.spent = options.spent;
  }
}

/** "Never": this stage's part failed for good. Leads to `handOn`, never to a dead letter. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
  readonly code: FailureCode;
  /** Known when a provider was paid for what failed. */
  readonly spent: Spent | undefined;

  constructor(
    code: FailureCode,
    options: { readonly message?: string; readonly cause?: unknown; readonly spent?: Spent } = {},
  ) {
    super(
      options.message ?? FAILURES[code].meaning,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.spent = options.spent;
  }
}

/** The same failure with all that was paid until it came, in the place of what it says itself. What is of neither class stays as it is. */
export function withSpent(error: unknown, spent: Spent): unknown {
  if (error instanceof PermanentError) {
    const { code, message, cause } = error;
    return new PermanentError(code, { message, cause, spent });
  }
  if (!(error instanceof RetryLaterError)) return error;
  const { message, retryAfterMs, deadline, code, pause, cause } = error;
  const asked = { ...(retryAfterMs !== undefined && { retryAfterMs }), ...(pause !== undefined && { pause }) };
  return new RetryLaterError(message, { ...asked, deadline, code, cause, spent });
}
