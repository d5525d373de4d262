import { ConfigError, parseConfig } from '@pipeline/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema } from './config.ts';

const environment = {
  NATS_URL: 'nats://127.0.0.1:4222',
  NATS_USER: 'media-gateway',
  NATS_PASSWORD: 'a-nats-password',
  MONGO_URL: 'mongodb://127.0.0.1:27017',
  MONGO_USER: 'media-gateway',
  MONGO_PASSWORD: 'a-mongo-password',
  PUBLIC_BASE_URL: 'https://calls.example.com',
  TWILIO_ACCOUNT_SID: `AC${'2'.repeat(32)}`,
  TWILIO_AUTH_TOKENS: 'one-token,another-token',
  AGENT_API_KEY: 'sk-key',
};

function problemsOf(changes: Record<string, string | undefined>): readonly string[] {
  try {
    parseConfig(configSchema, { ...environment, ...changes });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the configuration', () => {
  it('starts with what has no safe default and fills in the rest', () => {
    expect(parseConfig(configSchema, environment)).toMatchObject({
      TWILIO_AUTH_TOKENS: ['one-token', 'another-token'],
      AGENT_BASE_URL: 'https://api.openai.com/v1',
      MAX_CALLS: 200,
    });
  });

  it('names everything that is missing at once', () => {
    const names = problemsOf(Object.fromEntries(Object.keys(environment).map((name) => [name, undefined])));
    expect(names).toEqual(
      Object.keys(environment)
        .toSorted()
        .map((name) => `${name}: is missing`),
    );
  });

  it.each([
    'http://calls.example.com',
    'https://calls.example.com/',
    'https://calls.example.com/twilio',
    'https://calls.example.com?a=1',
    'https://user@calls.example.com',
    'https://Calls.example.com',
    'calls.example.com',
  ])('refuses %s as the origin that Twilio signs', (PUBLIC_BASE_URL) => {
    expect(problemsOf({ PUBLIC_BASE_URL })).toEqual([
      'PUBLIC_BASE_URL: must be an https:// origin without path, query or slash',
    ]);
  });

  it('takes an origin with a port', () => {
    expect(problemsOf({ PUBLIC_BASE_URL: 'https://calls.example.com:8443' })).toEqual([]);
  });

  it.each(['one-token,', ',', 'changeme', 'one-token,changeme', ' one-token'])(
    'refuses %j as auth tokens, without repeating them',
    (TWILIO_AUTH_TOKENS) => {
      const problems = problemsOf({ TWILIO_AUTH_TOKENS });
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.every((problem) => problem.startsWith('TWILIO_AUTH_TOKENS'))).toBe(true);
      expect(problems.join()).not.toContain('one-token');
    },
  );

  it('refuses a grace that would cut calls before they are published', () => {
    expect(problemsOf({ SHUTDOWN_GRACE_MS: '60000' })[0]).toContain('SHUTDOWN_GRACE_MS must be above DRAIN_MS');
    expect(problemsOf({ SHUTDOWN_GRACE_MS: '60000', DRAIN_MS: '50000' })).toEqual([]);
  });

  it('refuses limits that are no limits', () => {
    for (const value of ['-1', '1e9', 'many', '0']) expect(problemsOf({ MAX_CALLS: value })).toHaveLength(1);
  });
});
