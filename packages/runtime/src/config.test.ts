import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  integerVariable,
  listVariable,
  parseConfig,
  secretVariable,
  serviceVariables,
  urlVariable,
} from './config.ts';
import { brokerVariables } from './variables/broker.ts';
import { settingsKeysVariables } from './variables/settings-keys.ts';
import { storeVariables } from './variables/store.ts';

const problemsOf = (schema: z.ZodType, environment: Record<string, string | undefined>): readonly string[] => {
  try {
    parseConfig(schema, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

describe('configuration', () => {
  test('every problem is reported at once, by name, and no value is ever repeated', () => {
    const schema = z.object({ ...serviceVariables, ...brokerVariables, ...storeVariables });
    const environment = {
      NATS_URL: 'nats://hidden:pw@host:4222',
      ACK_WAIT_MS: '-77',
      NATS_PASSWORD: 'changeme',
      LOG_LEVEL: 'loud',
    };
    const problems = problemsOf(schema, environment);
    const names = problems.map((problem) => problem.split(':')[0]);
    expect(names).toEqual([
      'ACK_WAIT_MS',
      'LOG_LEVEL',
      'MONGO_PASSWORD',
      'MONGO_URL',
      'MONGO_USER',
      'NATS_PASSWORD',
      'NATS_URL',
      'NATS_USER',
    ]);
    for (const value of Object.values(environment)) expect(problems.join('\n')).not.toContain(value);
  });

  test.each(['', '   ', undefined])('a required variable that is %j counts as missing', (value) => {
    expect(problemsOf(z.object({ KEY: secretVariable() }), { KEY: value })).toEqual(['KEY: is missing']);
  });

  test.each([
    'changeme',
    'change-me',
    'CHANGE_ME',
    'placeholder',
    'your-api-key',
    '<token>',
    'xxxx',
    'secret',
    'real \n',
  ])('the secret %j is refused', (value) => {
    expect(problemsOf(z.object({ KEY: secretVariable() }), { KEY: value })).toHaveLength(1);
  });

  test.each(['sk-кey', 'sk-é1', 'sk-\u200bkey', 'sk-a\r\nx-b: 1', 'sk-\u007fkey'])(
    'the secret %j, which no HTTP header can carry, is refused before the first call',
    (value) => {
      expect(problemsOf(z.object({ KEY: secretVariable() }), { KEY: value })).toEqual(['KEY: must be printable ASCII']);
      expect(problemsOf(z.object({ KEY: secretVariable() }), { KEY: 'sk-~ !"key' })).toEqual([]);
    },
  );

  test.each(['12.5', '-1', '1e9', '0x10', 'NaN', '101', ' 5'])('the number %j is refused', (value) => {
    const schema = z.object({ LIMIT: integerVariable({ min: 1, max: 100, default: 7 }) });
    expect(problemsOf(schema, { LIMIT: value })).toHaveLength(1);
    expect(parseConfig(schema, {})).toEqual({ LIMIT: 7 });
  });

  test('a list of numbers keeps its order and refuses anything else', () => {
    const schema = z.object({ WAITS: listVariable({ min: 1, max: 60, default: [5] }) });
    expect(parseConfig(schema, { WAITS: '5,5,10' })).toEqual({ WAITS: [5, 5, 10] });
    for (const value of ['5,,10', '5;10', '61', '5,']) expect(problemsOf(schema, { WAITS: value })).toHaveLength(1);
  });

  test.each(['ftp://a', 'http://u:p@a', 'https://a/?q=1', 'https://a/#f', 'https://a/', 'a.b'])(
    'the URL %s is refused',
    (value) => {
      expect(problemsOf(z.object({ BASE_URL: urlVariable() }), { BASE_URL: value })).toHaveLength(1);
    },
  );

  test('a crash point is refused in production, and a forgotten NODE_ENV is production', () => {
    const schema = z.object(serviceVariables);
    for (const mode of [{}, { NODE_ENV: 'production' }]) {
      expect(problemsOf(schema, { ...mode, CRASH_AT: 'tr.before_ack:1' })).toEqual([
        'CRASH_AT: is refused when NODE_ENV is production',
      ]);
    }
    expect(problemsOf(schema, { NODE_ENV: 'test', CRASH_AT: 'tr.before_ack:1' })).toEqual([]);
  });

  test('B93: a broker over the network without TLS is refused in production, the default', () => {
    const schema = z.object({ NODE_ENV: serviceVariables.NODE_ENV, NATS_URL: brokerVariables.NATS_URL });
    const plain = 'nats://nats-1.example.com:4222';
    for (const NATS_URL of [plain, `tls://nats-0.example.com,${plain}`, 'nats://127.0.0.1.example.com:4222']) {
      expect(problemsOf(schema, { NATS_URL })).toEqual([
        'NATS_URL: must be tls:// when NODE_ENV is production, unless the server is on this machine',
      ]);
    }
    expect(problemsOf(schema, { NATS_URL: 'tls://nats.example.com:4222' })).toEqual([]);
    expect(problemsOf(schema, { NATS_URL: 'nats://127.0.0.1:4222' })).toEqual([]);
    expect(problemsOf(schema, { NODE_ENV: 'development', NATS_URL: plain })).toEqual([]);
  });
});

describe('the keys that seal secrets', () => {
  const schema = z.object({ ...settingsKeysVariables });
  const random = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;

  test('are read in their order, and are required', () => {
    const keys = parseConfig(schema, { SETTINGS_KEYS: `${random('k2')}, ${random('k1')}` }).SETTINGS_KEYS;
    expect(keys.map(({ id, key }) => [id, key.length])).toEqual([
      ['k2', 32],
      ['k1', 32],
    ]);
    expect(problemsOf(schema, {})).toEqual(['SETTINGS_KEYS: is missing']);
  });

  test.each([
    ['no id', randomBytes(32).toString('base64')],
    ['31 bytes', `k1:${randomBytes(31).toString('base64')}`],
    ['two of one name', `${random('k1')},${random('k1')}`],
    ['a trailing comma', `${random('k1')},`],
    ['zeros', `k1:${Buffer.alloc(32).toString('base64')}`],
    ['a typed pattern', `k1:${Buffer.from('abcabcabcabcabcabcabcabcabcabcab').toString('base64')}`],
  ])('%s is refused by name and never by value', (_what, value) => {
    const problems = problemsOf(schema, { NODE_ENV: 'test', SETTINGS_KEYS: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^SETTINGS_KEYS: /);
    expect(problems[0]).not.toContain(value.slice(4, 20));
  });

  test.each(['dev-1', 'local-1', 'example', 'test'])('%s is an example, which production refuses', (id) => {
    expect(problemsOf(schema, { SETTINGS_KEYS: `${random('k1')},${random(id)}` })).toEqual([
      'SETTINGS_KEYS: holds an example key, which is refused when NODE_ENV is production',
    ]);
    expect(problemsOf(schema, { NODE_ENV: 'development', SETTINGS_KEYS: random(id) })).toEqual([]);
  });
});
