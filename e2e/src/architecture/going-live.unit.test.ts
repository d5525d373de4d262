import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { businessSettingsSchema } from '@pipeline/contracts';
import { loadDialogues, startTelephone } from '@pipeline/sandbox';
import { parse } from 'yaml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containerOf, environmentOf } from '../deploy/environment.ts';
import { readBase, workloadsOf } from '../deploy/manifests.ts';
import { twilioNumber } from '../stack/twilio-number.ts';

const FILE = new URL('../../../docs/going-live.md', import.meta.url);
const text = readFileSync(FILE, 'utf8');
const NUMBER = twilioNumber('https://calls.example.com');

describe('docs/going-live.md', () => {
  it('names every URL that Twilio is to be given, as media-gateway serves it', () => {
    const http = readFileSync(
      new URL('../../../services/media-gateway/src/adapters/twilio-http.ts', import.meta.url),
      'utf8',
    );
    // The very URLs that the end-to-end tests and the bench call by, fragments included.
    for (const url of Object.values(NUMBER)) {
      expect(text).toContain(`\`${url}\``);
      expect(http).toContain(`'${new URL(url).pathname}'`);
    }
  });

  it('has a caller hear the TwiML Bin while nobody answers for media-gateway', async () => {
    expect(text).toMatch(/^\| Primary handler fails \| \*\*TwiML Bin\*\*/m);
    const [, bin = ''] = /```xml\n([^]*?)```/.exec(text) ?? [];
    const atTwilio = createServer((_request, response) => void response.setHeader('content-type', 'text/xml').end(bin));
    onTestFinished(() => void atTwilio.close());
    await once(atTwilio.listen(0, '127.0.0.1'), 'listening');
    const { port } = atTwilio.address() as AddressInfo; // listening on TCP
    const telephone = await startTelephone({
      accountSid: `AC${'1'.repeat(32)}`,
      authToken: 'a-token-of-this-test',
      apiKeySid: `SK${'2'.repeat(32)}`,
      apiKeySecret: 'a-secret-of-this-test',
      publicBaseUrl: 'https://calls.example.com',
      ...NUMBER,
      gatewayUrl: 'http://127.0.0.1:9', // nobody listens on the port of `discard`
      fallbackUrl: `http://127.0.0.1:${port}/twiml`,
    });
    onTestFinished(() => telephone.close());
    const [dialogue] = await loadDialogues();
    const faults = { statusCallback: 'missing' } as const;
    const call = await telephone.placeCall({ dialogue: dialogue!, speed: 100, faults });
    expect(await call.ended).toMatchObject({
      status: 'completed',
      voiceStatus: 0,
      heardFromAgent: [expect.stringContaining('cannot take your call right now')],
    });
  });

  it('creates outbound calls by the same URLs, from a number of the business', () => {
    const [, command = ''] = /(curl -X POST "https:\/\/api\.twilio\.com[^]*?)```/.exec(text) ?? [];
    const given = Object.fromEntries(
      [...command.matchAll(/--data-urlencode '(\w+)=([^']*)'/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(text) ?? [];
    expect(given).toEqual({
      From: businessSettingsSchema.parse(parse(yaml)).phone_numbers[0],
      To: expect.stringMatching(/^\+\d+$/),
      Url: NUMBER.voiceUrl,
      FallbackUrl: expect.stringMatching(/^https:\/\/handler\.twilio\.com\/twiml\//),
      StatusCallback: NUMBER.statusCallbackUrl,
    });
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

  it('runs callctl where the manifests have it, by the command of its image, and with verbs that it has', async () => {
    const [, deployment, command] =
      /^callctl\(\) \{ kubectl .* exec -i deployment\/(\S+) -- (.*) "\$@"; \}$/m.exec(text) ?? [];
    const callctl = workloadsOf(await readBase()).find(
      ({ kind, name }) => kind === 'Deployment' && name === deployment,
    );
    expect(containerOf(callctl!).image).toMatch(/\/callctl:/);
    const dockerfile = readFileSync(new URL('../../../deploy/docker/Dockerfile', import.meta.url), 'utf8');
    const [, node] = /^ENTRYPOINT \["([^"]+)"/m.exec(dockerfile) ?? [];
    const [, main] = /^CMD \["([^"]+)"\]$/m.exec(dockerfile) ?? [];
    expect(command).toBe(`${node} ${main}`);

    const registry: unknown = await import(new URL('../../../packages/callctl/src/registry.ts', import.meta.url).href);
    const { VERBS } = registry as { readonly VERBS: readonly { readonly name: string }[] }; // loaded as text would be
    const known = new Set(VERBS.map(({ name }) => name));
    const used = [
      ...text.matchAll(
        /(?<!\/)\bcallctl(?: --)? ((?:settings |webhooks |dead |watermark )?[a-z]+(?:-[a-z]+)*)(?=[ `\n])/g,
      ),
    ];
    const verbs = new Set(used.map(([, verb = '']) => verb));
    expect(verbs.size).toBeGreaterThan(6);
    expect([...verbs].filter((verb) => !known.has(verb))).toEqual([]);
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
