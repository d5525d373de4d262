import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readSignatureVectors, type SignatureVector } from './fixtures/signature-vectors.ts';
import { signAttempt } from './signing.ts';
import { explainMismatch, verifyWebhook } from './verifying.ts';

const VECTORS = readSignatureVectors();
const bodyOf = (vector: SignatureVector): Buffer => Buffer.from(vector.body_base64, 'base64');
const [FIXED] = VECTORS;
if (FIXED === undefined) throw new Error('no vectors');

afterEach(() => {
  vi.useRealTimers();
});

describe('the signature vectors', () => {
  it('are enough of both kinds, each with its own name, and begin with the fixed one', () => {
    expect(VECTORS.filter(({ valid }) => valid).length).toBeGreaterThanOrEqual(6);
    expect(VECTORS.filter(({ valid }) => !valid).length).toBeGreaterThanOrEqual(18);
    expect(new Set(VECTORS.map(({ name }) => name)).size).toBe(VECTORS.length);
    expect(FIXED.headers['webhook-signature']).toBe('v1,hXQiPA8QrDmBWmhG2+ERy3f82AuSEbn7amyHV45+C+U=');
    expect(bodyOf(FIXED)).toHaveLength(54);
  });

  it('show every body as text', () => {
    for (const vector of VECTORS) expect(bodyOf(vector).equals(Buffer.from(vector.body)), vector.name).toBe(true);
  });

  it.each(VECTORS)('$name: our verifier and the reference library say valid: $valid', (vector) => {
    const arrived = { headers: vector.headers, body: bodyOf(vector) };
    expect(verifyWebhook(arrived, vector.secrets, { nowMs: vector.now * 1_000 }).ok).toBe(vector.valid);
    vi.useFakeTimers({ toFake: ['Date'], now: vector.now * 1_000 });
    const library = vector.secrets.map((secret) => accepts(secret, vector));
    expect(library.includes(true)).toBe(vector.valid);
  });

  it('that are valid carry what our signer makes of them', () => {
    for (const vector of VECTORS.filter(({ valid }) => valid)) {
      const made = signAttempt({
        id: String(vector.headers['webhook-id']),
        body: bodyOf(vector),
        secrets: vector.secrets,
        nowMs: Number(vector.headers['webhook-timestamp']) * 1_000,
      });
      const carried = String(vector.headers['webhook-signature']).split(' ');
      const ours = made['webhook-signature'].split(' ');
      expect(
        ours.some((signature) => carried.includes(signature)),
        vector.name,
      ).toBe(true);
    }
  });
});

describe('a verdict', () => {
  it('names what is wrong, and how old a webhook is', () => {
    const headers = { ...FIXED.headers };
    const verdict = (over: Record<string, string>, now = FIXED.now) =>
      verifyWebhook({ headers: { ...headers, ...over }, body: bodyOf(FIXED) }, FIXED.secrets, { nowMs: now * 1_000 });
    expect(verdict({ 'webhook-id': '' })).toMatchObject({ code: 'header_missing' });
    expect(verdict({ 'webhook-timestamp': '1e9' })).toMatchObject({ code: 'timestamp_invalid' });
    expect(verdict({}, FIXED.now + 301)).toMatchObject({ code: 'timestamp_too_old', ageSeconds: 301 });
    expect(verdict({}, FIXED.now - 301)).toMatchObject({ code: 'timestamp_in_future', ageSeconds: -301 });
    expect(verdict({ 'webhook-signature': 'v1a,AA' })).toMatchObject({ code: 'no_v1_signature' });
    expect(verdict({ 'webhook-signature': 'v1,AA' })).toMatchObject({ code: 'signature_mismatch' });
    expect(verdict({})).toMatchObject({ ok: true, secretNumber: 1, sentAt: new Date(FIXED.now * 1_000) });
  });

  it.each([
    ['body with a line end added', 'line end'],
    ['body parsed and written anew', 'parsed and written anew'],
    ['body with its Hebrew escaped', 'parsed and written anew'],
    ['text of the secret used as the key', 'base64 after whsec_'],
  ])('of the vector "%s" is explained', (name, words) => {
    const vector = VECTORS.find((one) => one.name === name);
    if (vector === undefined) throw new Error('no such vector');
    expect(explainMismatch({ headers: vector.headers, body: bodyOf(vector) }, vector.secrets)).toContain(words);
  });

  it('of a webhook that somebody else signed is not explained away', () => {
    const vector = VECTORS.find(({ name }) => name === 'wrong secret') ?? FIXED;
    expect(explainMismatch({ headers: vector.headers, body: bodyOf(vector) }, vector.secrets)).toBeNull();
  });
});

function accepts(secret: string, vector: SignatureVector): boolean {
  try {
    new Webhook(secret).verify(bodyOf(vector), vector.headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
