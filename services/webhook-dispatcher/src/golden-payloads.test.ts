import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GOLDEN_CALLS } from './fixtures/golden-calls.ts';
import { buildErased, buildPayload } from './payload.ts';

describe('the sample payloads that consumers are given', () => {
  it.each(Object.entries(GOLDEN_CALLS))('%s is what is sent for its call, byte by byte', (file, { type, callLog }) => {
    expect(buildPayload(callLog, type).toString('utf8')).toBe(sample(file));
  });

  it('call.erased.json is what is sent when its call was erased, byte by byte', () => {
    const tombstone = { businessId: 'biz_123', revision: 3, erasedAt: '2025-12-11T09:00:00.000Z' };
    expect(buildErased('CA00000000000000000000000000000001', tombstone).toString('utf8')).toBe(
      sample('call.erased.json'),
    );
  });
});

function sample(file: string): string {
  return readFileSync(new URL(`../../../packages/contracts/webhooks/payloads/${file}`, import.meta.url), 'utf8');
}
