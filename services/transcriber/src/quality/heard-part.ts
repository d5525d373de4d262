/** What one request brought. `channel` is `null` where it does not tell the speaker. Times from the start of the first recording. */
export type PartText = {
  readonly text: string;
  readonly channel: 0 | 1 | null;
  readonly startMs: number;
  readonly endMs: number;
  /** Milliseconds of sound in it. */
  readonly spokenMs: number;
  readonly isTonal: boolean;
};

/** ... with its bare letters. */
export type HeardPart = PartText & { readonly letters: string };
