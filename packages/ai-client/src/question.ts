/** What a text model is asked: the task, the words it is about, and the form of the answer. */
export type Question<T> = {
  /** Name of the form, for the provider. */
  readonly name: string;
  readonly instructions: string;
  readonly input: string;
  /** JSON Schema of the answer. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The answer, or undefined when the parsed JSON does not have the asked form. */
  readonly read: (json: unknown) => T | undefined;
};

/** An answer and what it used, a repair included. */
export type Answer<T> = { readonly value: T; readonly usage: Readonly<Record<string, number>> };
