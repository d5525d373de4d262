import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GOLDEN_CALLS } from './fixtures/golden-calls.ts';
import { buildPayload } from './payload.ts';

describe('the sample payloads that consumers are given', () => {
  it.each(Object.entries(GOLDEN_CALLS))('%s is what is sent for its call, byte by byte', (file, { type, callLog }) => {
    const given = readFileSync(new URL(`../../../packages/contracts/webhooks/payloads/${file}`, import.meta.url));
    expect(buildPayload(callLog, type).toString('utf8')).toBe(given.toString('utf8'));
  });
});
