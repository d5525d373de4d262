import { describe, expect, test } from 'vitest';
import { shutdownOf, warnOfShutdown } from './model-shutdown.ts';

const warningsFor = (model: string, day: string): string[] => {
  const lines: string[] = [];
  const logger = { warn: (_fields: object, line: string) => void lines.push(line) } as never; // all that is used of a logger
  warnOfShutdown(logger, { variable: 'SUMMARY_MODEL', model }, new Date(`${day}T12:00:00Z`));
  return lines;
};

describe('a model that leaves the API', () => {
  test.each([
    ['gpt-4o', '2026-11-25', 'SUMMARY_MODEL: gpt-4o leaves the API of OpenAI on 2027-01-14; set it to gpt-6-luna'],
    ['gpt-4o', '2027-01-14', 'SUMMARY_MODEL: gpt-4o left the API of OpenAI on 2027-01-14; set it to gpt-6-luna'],
    [
      'gpt-realtime-2025-08-28',
      '2026-11-25',
      'SUMMARY_MODEL: gpt-realtime-2025-08-28 leaves the API of OpenAI on 2027-01-20; set it to gpt-realtime-2.1',
    ],
  ])('%s is said at the start, on %s', (model, day, line) => {
    expect(warningsFor(model, day)).toEqual([line]);
  });

  test.each(['gpt-6-luna', 'gpt-transcribe', 'gpt-realtime-2.1', 'my-own-model'])('%s stays: no word', (model) => {
    expect(warningsFor(model, '2030-01-01')).toEqual([]);
    expect(shutdownOf(model)).toBeUndefined();
  });
});
