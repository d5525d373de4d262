import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Bad inputs B91 to B97: the real process with an environment that it must not start with. */

const good: Readonly<Record<string, string>> = {
  NATS_URL: 'tls://nats.example.com:4222',
  NATS_USER: 'media-gateway',
  NATS_PASSWORD: 'a-nats-password',
  MONGO_URL: 'mongodb://mongo.example.com:27017',
  MONGO_USER: 'media-gateway',
  MONGO_PASSWORD: 'a-mongo-password',
  PUBLIC_BASE_URL: 'https://calls.example.com',
  TWILIO_ACCOUNT_SID: `AC${'2'.repeat(32)}`,
  TWILIO_AUTH_TOKENS: 'one-token,another-token',
  AGENT_API_KEY: 'sk-key',
};

function boot(changes: Readonly<Record<string, string>>): Promise<{ code: unknown; told: string }> {
  return new Promise((resolve) => {
    const env = { ...good, ...changes };
    execFile(process.execPath, [join(import.meta.dirname, 'main.ts')], { env, timeout: 20_000 }, (error, out, told) =>
      resolve({ code: error?.code ?? 0, told: out + told }),
    );
  });
}

describe('an environment that cannot be meant ends the process with 1, by name and never by value', () => {
  it.each<[string, Record<string, string>]>([
    [
      'B91: variables that are missing, empty or blank',
      { AGENT_API_KEY: '', TWILIO_ACCOUNT_SID: '   ', NATS_USER: '' },
    ],
    ['B92: example secrets', { NATS_PASSWORD: 'changeme', AGENT_API_KEY: '<your-key>', TWILIO_AUTH_TOKENS: 'secret' }],
    ['B93: a broker without TLS', { NATS_URL: 'nats://nats.example.com:4222' }],
    ['B94: limits that are none', { MAX_CALLS: '-1', MAX_CALL_MS: 'many', MEDIA_IDLE_MS: '1e9', HTTP_PORT: '70000' }],
    ['B95: a public address with a path', { PUBLIC_BASE_URL: 'https://calls.example.com/twilio' }],
    ['B97: a switch of tests', { CRASH_AT: 'gw.unacked:1' }],
  ])('%s', { timeout: 60_000 }, async (_name, changes) => {
    const { code, told } = await boot(changes);
    expect(code).toBe(1);
    expect(
      told
        .split('\n')
        .filter((line) => /^ {2}[A-Z_]+[.\d]*: /.test(line))
        .map((line) => line.trim().split(/[:.]/)[0])
        .toSorted(),
    ).toEqual(Object.keys(changes).toSorted());
    for (const value of Object.values(changes).filter((text) => text.trim() !== ''))
      expect(told).not.toContain(` ${value}`);
  });
});
