import { describe, expect, it } from 'vitest';
import { createMemoryDirectory } from './call-directory.ts';
import { CALL_SID } from './testing/examples.ts';

const limits = { tokenTtlMs: 60_000, maxPublished: 2 };

describe('a token of the directory', () => {
  it('opens its own call once', async () => {
    const directory = createMemoryDirectory(limits);
    const token = await directory.issueToken(CALL_SID);
    expect(await directory.redeemToken(`CA${'9'.repeat(32)}`, token)).toBe(false);
    expect(await directory.redeemToken(CALL_SID, `${token}x`)).toBe(false);
    expect(await directory.redeemToken(CALL_SID, '')).toBe(false);
    expect(await directory.redeemToken(CALL_SID, token)).toBe(true);
    expect(await directory.redeemToken(CALL_SID, token)).toBe(false);
  });

  it('is too old after its time', async () => {
    let now = 0;
    const directory = createMemoryDirectory(limits, () => now);
    const token = await directory.issueToken(CALL_SID);
    now = limits.tokenTtlMs;
    expect(await directory.redeemToken(CALL_SID, token)).toBe(false);
  });

  it('stays good when Twilio asks again, and all of the call are used up by one', async () => {
    const directory = createMemoryDirectory(limits);
    const [first, second] = [await directory.issueToken(CALL_SID), await directory.issueToken(CALL_SID)];
    expect(await directory.redeemToken(CALL_SID, first)).toBe(true);
    expect(await directory.redeemToken(CALL_SID, second)).toBe(false);
  });

  it('is void once the call is published', async () => {
    const directory = createMemoryDirectory(limits);
    const token = await directory.issueToken(CALL_SID);
    await directory.markPublished(CALL_SID);
    expect(await directory.redeemToken(CALL_SID, token)).toBe(false);
  });
});

describe('the directory', () => {
  it('remembers published calls up to its bound, the oldest is forgotten first', async () => {
    const directory = createMemoryDirectory(limits);
    for (const callSid of ['a', 'b', 'c']) await directory.markPublished(callSid);
    expect(await Promise.all(['a', 'b', 'c'].map((callSid) => directory.isPublished(callSid)))).toEqual([
      false,
      true,
      true,
    ]);
  });
});
