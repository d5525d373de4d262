import { expect, test } from 'vitest';
import { businessSettingsSchema } from '@pipeline/contracts';
import { run } from './fixtures/run.ts';
import { maskSecrets } from './secrets.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const VALID = { id: 'biz_1', name: 'Test', agent: { instructions: 'Help.', greeting: 'שלום' } };

test('valid settings are told as such, in JSON and in YAML', async () => {
  const json = await run(['settings', 'validate', 'a.json'], { files: { 'a.json': JSON.stringify(VALID) } });
  expect(json).toEqual({ code: 0, out: 'the settings of business biz_1 are valid', error: '' });
  const yaml = 'id: biz_1\nname: Test\nagent:\n  instructions: Help.\n  greeting: שלום\n';
  expect((await run(['settings', 'validate', '-'], { files: { '-': yaml } })).code).toBe(0);
});

test('settings that `settings get` printed are valid with their masks, and a mask that is spoilt is not', async () => {
  const printed = maskSecrets(
    businessSettingsSchema.parse({
      ...VALID,
      inbound_webhook_url: 'https://hooks.example/in?token=a',
      webhook_secrets: [SECRET],
      webhook_headers: { 'x-a': 'b' },
    }),
  );
  const validate = (settings: unknown) =>
    run(['settings', 'validate', '-'], { files: { '-': JSON.stringify(settings) } });
  expect((await validate(printed)).code).toBe(0);
  expect((await validate({ ...printed, webhook_secrets: ['whsec_[kep]'] })).code).toBe(1);
});

test('every problem is told at once, by its JSON path and never by its value', async () => {
  const fields = [
    { key: 'a', type: 'string', description: 'x' },
    { key: 'canary', type: 'enum', description: 'x' },
  ];
  const broken = {
    ...VALID,
    retention_days: 0,
    fields,
    webhook_secrets: [SECRET, 'whsec_canary'],
    webhook_headers: { 'x-a': 'canary\u0007' },
    agent: { instructions: 'Help.', greeting: { canary: true } },
    surprise: 'canary',
  };
  const { code, out } = await run(['settings', 'validate', '-', '--json'], { files: { '-': JSON.stringify(broken) } });
  expect(code).toBe(1);
  const { valid, problems } = JSON.parse(out);
  expect(valid).toBe(false);
  const paths = problems.map((problem: { path: string }) => problem.path);
  expect(paths).toContain('$.retention_days');
  expect(paths).toContain('$.webhook_secrets[1]');
  expect(paths).toContain('$.webhook_headers["x-a"]');
  expect(paths).toContain('$.agent.greeting');
  expect(paths).toContain('$.fields[1].options');
  expect(out).toContain('surprise');
  expect(out).not.toContain('canary');
});

test.each([
  ['broken JSON', `{"webhook_secrets": ["${SECRET}" "x"]}`, 'is neither JSON nor YAML at line 1'],
  ['a key twice', `{"id": "a", "id": "${SECRET}"}`, 'DUPLICATE_KEY'],
  ['an alias bomb', bomb(), 'aliases'],
  ['nothing', '', '$: '],
])('%s is refused without a word of it', async (_name, text, message) => {
  const { code, out } = await run(['settings', 'validate', '-'], { files: { '-': text } });
  expect(code).toBe(1);
  expect(out).toContain(message);
  expect(out).not.toContain('whsec');
});

test('a URL that no webhook may go to is refused with its code and without its parts, as every attempt would', async () => {
  const check = async (url: string, environment = {}) => {
    const settings = { ...VALID, inbound_webhook_url: url, webhook_secrets: [SECRET] };
    return run(['settings', 'validate', '-'], { files: { '-': JSON.stringify(settings) }, environment });
  };
  const refusals: readonly (readonly [string, string])[] = [
    ['ftp://a.example/', 'scheme_not_allowed'],
    ['http://a.example/', 'scheme_not_allowed'],
    ['nonsense', 'url_invalid'],
    ['https://user:canary@a.example/', 'userinfo_not_allowed'],
    ['https://127.0.0.1/', 'ip_blocked'],
    ['https://[::ffff:7f00:1]/', 'ip_blocked'],
    ['https://93.184.216.34/', 'ip_literal_not_allowed'],
    ['https://metadata.google.internal/', 'host_not_allowed'],
    ['https://a.example:8080/', 'port_not_allowed'],
  ];
  for (const [url, code] of refusals) {
    const refused = await check(url);
    expect({ url, code: refused.code }).toEqual({ url, code: 1 });
    expect(refused.out).toMatch(new RegExp(`^\\$\\.inbound_webhook_url: ${code}: `));
    expect(refused.out).not.toContain('canary');
  }
  expect((await check('https://a.example/hook')).code).toBe(0);
  const n8n = 'http://10.0.0.7:5678/hook';
  expect((await check(n8n)).out).toContain('WEBHOOK_ALLOWED_ORIGINS');
  expect((await check(n8n, { WEBHOOK_ALLOWED_ORIGINS: 'http://10.0.0.7:5678' })).code).toBe(0);
  const local = { WEBHOOK_DEV_ORIGINS: 'http://127.0.0.1:8977' };
  expect((await check('http://127.0.0.1:8977/', { ...local, NODE_ENV: 'development' })).code).toBe(0);
  expect((await check('http://127.0.0.1:8977/', local)).error).toContain('WEBHOOK_DEV_ORIGINS: is refused');
});

/** Nine aliases of nine aliases ...: small to read, endless to unfold. */
function bomb(): string {
  const names = 'abcdefgh'.split('');
  const lines = names.map((name, place) => {
    const before = names[place - 1];
    return `${name}: &${name} [${Array.from({ length: 9 }, () => (before === undefined ? 'x' : `*${before}`)).join(', ')}]`;
  });
  return lines.join('\n');
}
