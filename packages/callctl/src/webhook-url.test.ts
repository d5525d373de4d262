import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run } from './fixtures/run.ts';

const vectorsSchema = z.object({
  vectors: z.array(
    z.looseObject({
      id: z.string(),
      stage: z.string(),
      expect: z.string(),
      input: z.unknown().optional(),
      config: z
        .object({
          allowOrigins: z.array(z.string()).default([]),
          devOrigins: z.array(z.string()).default([]),
          nodeEnv: z.string().default('development'),
        })
        .prefault({}),
    }),
  ),
});
const FILE = new URL('../../egress/src/fixtures/ssrf-vectors.json', import.meta.url);
const SAVED = vectorsSchema
  .parse(JSON.parse(readFileSync(FILE, 'utf8')))
  .vectors.filter(({ stage }) => stage === 'save');

test('B105 B106 B107 B108 every URL and header of the save vectors is taken or refused by callctl as the vector says', async () => {
  const outcomes = await Promise.all(SAVED.map(async (vector) => ({ id: vector.id, found: await verdictOf(vector) })));
  expect(outcomes).toEqual(SAVED.map(({ id, expect: expected }) => ({ id, found: codeAtSave(id, expected) })));
  expect(outcomes.length).toBe(122);
});

test('B109 B110 a name that leads inside is refused when it is saved, and a secret in the query is taken and not shown', async () => {
  const url = 'https://hooks.example/in?token=canary';
  const inside = await save(url, ['93.184.216.34', '10.0.0.7']);
  expect(inside.error).toContain('$.inbound_webhook_url: ip_blocked');
  expect(inside.error).not.toContain('canary');
  // A public answer gets as far as the database, which is not there.
  const outside = await save(url, ['93.184.216.34']);
  expect(outside.error).toContain('MONGO_URL: is missing');
  expect(outside.error).not.toContain('canary');
});

/** Two inputs never get as far as the judge of URLs: the length of the setting, and an origin that production's configuration refuses. */
function codeAtSave(id: string, expected: string): string {
  if (id === 'V118') return 'too long';
  return id === 'V155' ? 'configuration refused' : expected;
}

async function verdictOf({ input, config }: (typeof SAVED)[number]): Promise<string> {
  const isHeader = typeof input === 'object' && input !== null && 'header' in input && 'value' in input;
  const given = typeof input === 'string' ? input : `https://hooks.example/${'a'.repeat(10_000)}`;
  const url = isHeader ? 'https://hooks.example/in' : given;
  const settings = {
    ...SETTINGS,
    inbound_webhook_url: url,
    webhook_headers: isHeader ? { [String(input.header)]: input.value } : {},
  };
  const { code, out, error } = await run(['settings', 'validate', '-'], {
    files: { '-': JSON.stringify(settings) },
    environment: {
      NODE_ENV: config.nodeEnv,
      WEBHOOK_ALLOWED_ORIGINS: config.allowOrigins.join(','),
      WEBHOOK_DEV_ORIGINS: config.devOrigins.join(','),
    },
  });
  if (code === 0) return 'ok';
  if (error.includes('WEBHOOK_DEV_ORIGINS')) return 'configuration refused';
  if (error.includes('WEBHOOK_ALLOWED_ORIGINS: must not be')) return 'ip_blocked';
  if (out.includes('$.webhook_headers')) return 'header_not_allowed';
  return /^\$\.inbound_webhook_url: ([a-z_]+):/.exec(out)?.[1] ?? (out.includes('2048') ? 'too long' : out);
}

function save(url: string, addresses: readonly string[]) {
  return run(['settings', 'set', '-'], {
    files: { '-': JSON.stringify({ ...SETTINGS, inbound_webhook_url: url }) },
    resolve: async () => ({ kind: 'addresses', addresses }),
  });
}

const SETTINGS = {
  id: 'biz_1',
  name: 'Test',
  agent: { instructions: 'Help.', greeting: 'Hi' },
  webhook_secrets: [`whsec_${Buffer.alloc(32, 7).toString('base64')}`],
};
