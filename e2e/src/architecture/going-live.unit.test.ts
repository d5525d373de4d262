import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { businessSettingsSchema } from '@pipeline/contracts';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { environmentOf } from '../deploy/environment.ts';
import { readBase, workloadsOf } from '../deploy/manifests.ts';
import { twilioNumber } from '../stack/twilio-number.ts';

const FILE = new URL('../../../docs/going-live.md', import.meta.url);
const text = readFileSync(FILE, 'utf8');

describe('docs/going-live.md', () => {
  it('names every URL that Twilio is to be given, as media-gateway serves it', () => {
    const http = readFileSync(
      new URL('../../../services/media-gateway/src/adapters/twilio-http.ts', import.meta.url),
      'utf8',
    );
    // The very URLs that the end-to-end tests and the bench are called by, fragments included.
    for (const url of Object.values(twilioNumber('https://calls.example.com'))) {
      expect(text).toContain(`\`${url}\``);
      expect(http).toContain(`'${new URL(url).pathname}'`);
    }
  });

  it('names every variable that an installation has to say for itself', async () => {
    const manifests = await readBase();
    const needed = workloadsOf(manifests).flatMap((workload) =>
      [...environmentOf(workload, manifests)].flatMap(([name, variable]) => {
        const isOwn = variable.kind === 'secret' || (variable.kind === 'plain' && variable.text === '');
        return isOwn && !OPTIONAL.has(name) ? [name] : [];
      }),
    );
    expect(needed.length).toBeGreaterThan(8);
    expect(
      [...new Set(needed)].filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}=`)),
    ).toEqual([]);
  });

  it('holds settings that can be stored', () => {
    const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(text) ?? [];
    expect(businessSettingsSchema.parse(parse(yaml))).toMatchObject({ id: 'my_business', language: 'en' });
  });

  it('uses only verbs that callctl has', () => {
    const registry = readFileSync(new URL('../../../packages/callctl/README.md', import.meta.url), 'utf8');
    const verbs = [...text.matchAll(/callctl ((?:settings|webhooks) [a-z-]+|[a-z]+)/g)].map(([, verb = '']) => verb);
    expect(new Set(verbs).size).toBeGreaterThan(6);
    expect([...new Set(verbs)].filter((verb) => !registry.includes(verb))).toEqual([]);
  });

  it('says what each error number of a media stream means, and links to what is there', () => {
    for (const number of [11_200, 31_901, 31_902, 31_910, 31_920, 31_921, 31_923, 31_924])
      expect(text).toContain(String(number));
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(fileURLToPath(new URL(link, FILE))))).toEqual([]);
  });
});

/** Blank means none. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'MONGO_DB_PREFIX',
  'MODEL_PRICES',
  'WEBHOOK_ALLOWED_ORIGINS',
  'EGRESS_DENY_CIDRS',
]);
