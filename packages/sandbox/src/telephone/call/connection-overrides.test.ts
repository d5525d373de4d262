import { expect, test } from 'vitest';
import { OverrideError, readOverrides } from './connection-overrides.ts';

test('a URL without a fragment is tried once, and once more when no connection came about', () => {
  const { url, overrides } = readOverrides('https://calls.example.com/twilio/status');
  expect(url).toBe('https://calls.example.com/twilio/status');
  expect(overrides).toEqual({
    connectMs: 5_000,
    readMs: 15_000,
    totalMs: 15_000,
    retries: 1,
    retriedAfter: new Set(['ct']),
  });
});

test('a fragment says how often, after which failures and how long, and is no part of the URL', () => {
  const { url, overrides } = readOverrides('https://a.test/b?c=d#ct=100&rt=200&tt=15000&rc=5&rp=5xx,rt&e=dublin&sni=y');
  expect(url).toBe('https://a.test/b?c=d');
  expect(overrides).toEqual({
    connectMs: 100,
    readMs: 200,
    totalMs: 15_000,
    retries: 5,
    retriedAfter: new Set(['5xx', 'rt']),
  });
  expect(readOverrides('https://a.test/#rp=all').overrides.retriedAfter).toEqual(new Set(['4xx', '5xx', 'ct', 'rt']));
});

test.each([
  'rc=6',
  'rc=-1',
  'rc=',
  'rc',
  'rp=6xx',
  'rp=all,ct',
  'tt=15001',
  'rt=99',
  'ct=1e3',
  'retry=5',
  'rc=1&rc=2',
  '',
])('an override that Twilio does not have is refused, not overlooked: #%s', (fragment) => {
  expect(() => readOverrides(`https://a.test/#${fragment}`)).toThrow(OverrideError);
});
