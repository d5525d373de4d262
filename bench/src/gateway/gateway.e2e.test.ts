import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Runs the bench as a person does. */
function bench(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly output: string; readonly errors: string }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, ...args], { timeout: 150_000 }, (error, output, errors) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, output, errors });
      else reject(new Error(`the bench did not end properly:\n${errors}`, { cause: error }));
    });
  });
}

test('10 calls of 3 s cross the real gateway without a lost frame, told in one object', async () => {
  const { code, output, errors } = await bench('gateway', '--calls', '10', '--seconds', '3', '--json');
  // 1 and 3 speak of times, which nobody promises on a machine that runs a test suite.
  expect([0, 1, 3], errors).toContain(code);
  const result = JSON.parse(output);
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(result, errors).toEqual({
    calls: 10,
    seconds: 3,
    framesIn: expect.any(Number),
    framesLost: 0,
    p99AddedMs: expect.any(Number),
    relayP99Ms: expect.any(Number),
    p99AddedMsAt100: null,
    cpuRatio: expect.any(Number),
  });
  // 10 calls, 50 frames a second each, for 3 s and the warm-up: late ones are made up for.
  expect(result.framesIn).toBeGreaterThanOrEqual(10 * 50 * 3);
  expect(result.cpuRatio).toBeGreaterThan(0);
});

test('every call ends once whatever its network and its callbacks do, and only cut calls lose frames', async () => {
  const faults = ['--drop', '0.2', '--stall', '0.2', '--reorder', '0.3', '--duplicate', '0.2', '--missing', '0.2'];
  const { code, output, errors } = await bench('gateway', '--calls', '10', '--seconds', '4', '--json', ...faults);
  expect(JSON.parse(output), errors).toMatchObject({ calls: 10, framesLost: 0, callsEnded: 10 });
  expect(code, errors).toBe(0);
});
