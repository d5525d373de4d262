/** Where messaging writes its lines: fields first, then a sentence. The runtime's logger is one. */
export type Log = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Log;
};

/** Fields of a line. Never a body, a transcript or a phone number. */
export type LogFields = Readonly<Record<string, unknown>>;
