import type { LogFields, Logger } from '@pipeline/runtime';

/** A logger for a person who waits: warnings and errors as plain lines, with the reason and nothing else of their fields. */
export function createProgressLogger(progress: (line: string) => void): Logger {
  const say = (fields: LogFields, message: string): void => {
    const reason = fields.reason;
    progress(typeof reason === 'string' ? `${message}: ${reason}` : message);
  };
  const quiet = (): void => {};
  const logger: Logger = { debug: quiet, info: quiet, warn: say, error: say, child: () => logger };
  return logger;
}
