import { describe, expect, test } from 'vitest';
import { PassThrough } from 'node:stream';
import { createLogger, describeError, type LogFields } from './logger.ts';

/** What a logger writes, line by line, as parsed JSON. */
function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const sink = new PassThrough();
  write(createLogger({ level: 'debug', bindings: { service: 'test' } }, sink));
  return String(sink.read() ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>); // pino writes JSON objects
}

describe('the logger', () => {
  test('a field that is not on the allow-list is dropped, on a line and on a child', () => {
    const fields = { callSid: 'CA1', transcript: 'canary', phone: 'canary', from: 'canary' } as LogFields; // what a careless caller does
    const lines = logged((logger) => {
      logger.info(fields, 'one');
      logger.child(fields).warn({}, 'two');
    });
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain('canary');
    for (const line of lines) expect(line).toMatchObject({ callSid: 'CA1', service: 'test' });
  });

  test('an error is logged by class, code and frames; the text of a foreign error, which may hold words of a caller, is not', () => {
    const foreign = Object.assign(new SyntaxError('Unexpected token, "canary" is not valid JSON'), { code: 'E1' });
    const [line] = logged((logger) => logger.error({ err: new Error('canary', { cause: foreign }) }, 'failed'));
    expect(JSON.stringify(line)).not.toContain('canary');
    expect(line).toMatchObject({ level: 'error', err: { name: 'Error', cause: { name: 'SyntaxError', code: 'E1' } } });
  });

  test('an error of our own keeps its text, whose words are ours', () => {
    const own = Object.assign(new Error('twilio answered 503'), { name: 'RetryLaterError' });
    expect(describeError(own)).toMatchObject({ name: 'RetryLaterError', message: 'twilio answered 503' });
  });
});
