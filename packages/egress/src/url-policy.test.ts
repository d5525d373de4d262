import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';
import { urlOf, vectors, type Vector } from './fixtures/vectors.ts';
import { createUrlPolicy, isAllowedHeader, isOrigin } from './url-policy.ts';

const saved = vectors.filter((vector) => vector.stage === 'save');
const urls = saved.filter((vector) => typeof vector.input === 'string' || vector.inputRepeat !== undefined);
const headers = saved.filter((vector) => typeof vector.input === 'object');

describe('judging a webhook URL by its text', () => {
  it('runs all 122 vectors of the save stage', () => {
    expect(urls.length + headers.length).toBe(122);
    expect(headers.length).toBe(5);
  });

  it.each(urls)('B105 B106 B107 B108 B110: $id $input is $expect ($note)', (vector) => {
    const verdict = policyOf(vector.config).judgeUrl(urlOf(vector));
    expect(verdict.ok ? 'ok' : verdict.code).toBe(vector.expect);
  });

  it.each(headers)('$id refuses a header of a business: $note', (vector) => {
    const { header, value } = vector.input as { header: string; value: string }; // the five header vectors have both
    expect(isAllowedHeader(header, value) ? 'ok' : 'header_not_allowed').toBe(vector.expect);
  });

  it.each(['X-Api-Key', 'Authorization'])('lets a business send %s', (name) => {
    expect(isAllowedHeader(name, 'Bearer abc')).toBe(true);
  });

  it('never lets an allowed origin lead to loopback, metadata, multicast or link-local', () => {
    const policy = policyOf({ allowOrigins: ['http://n8n.test:5678'] });
    for (const address of [
      '127.0.0.1',
      '::1',
      '169.254.169.254',
      '100.100.100.200',
      '168.63.129.16',
      '224.0.0.1',
      'fe80::1',
      'fd00:ec2::254',
    ]) {
      expect(policy.mayConnect(['10.0.0.7', address], 'allowed'), address).toBe(false);
    }
    expect(policy.mayConnect(['10.0.0.7', '192.168.3.4', 'fd12::1', '1.1.1.1'], 'allowed')).toBe(true);
  });

  it('lets a development origin lead to this machine and nowhere else', () => {
    const policy = policyOf({ devOrigins: ['http://localhost:9000'] });
    expect(policy.judgeUrl('http://localhost:9000/hook')).toMatchObject({ ok: true, trust: 'development' });
    expect(policy.judgeUrl('http://localhost:9001/hook')).toEqual({ ok: false, code: 'scheme_not_allowed' });
    expect(policy.mayConnect(['127.0.0.1', '::1'], 'development')).toBe(true);
    expect(policy.mayConnect(['10.0.0.1'], 'development')).toBe(false);
    expect(policy.mayConnect(['169.254.169.254'], 'development')).toBe(false);
  });

  it('compares allowed origins exactly: another scheme, host or user is not on the list', () => {
    const policy = policyOf({ allowOrigins: ['http://n8n.automation.svc:5678'] });
    expect(policy.judgeUrl('https://n8n.automation.svc:5678/')).toEqual({ ok: false, code: 'host_not_allowed' });
    expect(policy.judgeUrl('http://n8n.automation.svc.evil.example:5678/')).toEqual({
      ok: false,
      code: 'scheme_not_allowed',
    });
    expect(policy.judgeUrl('http://u@n8n.automation.svc:5678/')).toEqual({ ok: false, code: 'userinfo_not_allowed' });
  });

  it.each([
    ['https://n8n.example:5678', true],
    ['http://10.0.0.1', true],
    ['https://n8n.example/', false],
    ['https://n8n.example:443', false],
    ['https://N8N.example', false],
    ['ftp://n8n.example', false],
    ['n8n.example', false],
  ])('knows whether %s is one exact origin', (text, expected) => {
    expect(isOrigin(text)).toBe(expected);
  });
});

/** `nodeEnv: production` with development origins is refused by the configuration; the policy then has none. */
function policyOf(config: Vector['config']) {
  return createUrlPolicy({
    addresses: createAddressPolicy({ denyCidrs: config.extraDenyCidrs ?? [], nat64: config.nat64 ?? false }),
    allowedOrigins: config.allowOrigins ?? [],
    devOrigins: config.nodeEnv === 'production' ? [] : (config.devOrigins ?? []),
  });
}
