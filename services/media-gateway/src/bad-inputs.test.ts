import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** The catalogue of bad inputs has stable numbers: 1 to 24 webhooks, 25 to 42 media streams, 91 to 97 the environment. */
const OURS = [...range(1, 42), ...range(91, 97)];

it('every bad input that can reach this service has a test whose title names it', () => {
  const folder = import.meta.dirname;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));
  const titles = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/['"`]((?:B\d+, )*B\d+): /g)].map((match) => match[1] ?? ''),
  );
  const named = new Set(titles.flatMap((title) => title.split(', ')).map((name) => Number(name.slice(1))));
  expect(OURS.filter((number) => !named.has(number))).toEqual([]);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
