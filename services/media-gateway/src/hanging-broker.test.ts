import { afterEach, describe, expect, it } from 'vitest';
import { pause } from './pause.ts';
import { business } from './testing/examples.ts';
import { createTestGateway, type TestGateway } from './testing/gateway.ts';
import { createMemoryBucket, type MemoryBucket } from './testing/memory-bucket.ts';
import { changed, formRequest, voiceForm } from './testing/twilio.ts';

let gateway: TestGateway;
afterEach(() => gateway.app.close());

const MAX = 10;
const sidOf = (index: number): string => `CA${String(index).padStart(32, '0')}`;
const ring = async (index: number): Promise<string> => {
  const form = changed(voiceForm, { CallSid: sidOf(index) });
  const { body } = await gateway.app.inject(formRequest('/twilio/voice', form));
  return body.includes('<Stream') ? 'connected' : body.includes('reason="busy"') ? 'busy' : body;
};

describe('calls of one business that ring in the moments in which the broker hangs and nobody knows it yet', () => {
  it('are all answered at one deadline, up to the limit, and shared when it is back', async () => {
    const back = Promise.withResolvers<void>();
    /** Each question costs its deadline. */
    const bucket: MemoryBucket = createMemoryBucket({ turn: () => (bucket.isAway ? pause(100) : Promise.resolve()) });
    bucket.isAway = true;
    const { processes } = createMemoryBucket({ turn: () => back.promise }).shared;
    let asked = 0;
    const { get } = bucket.shared.businesses;
    const businesses = { ...bucket.shared.businesses, get: (key: string) => ((asked += 1), get(key)) };
    const shared = { ...bucket.shared, processes, businesses };
    gateway = await createTestGateway({
      bucket: { ...bucket, shared },
      answerDeadlineMs: 400,
      config: { MAX_CALLS: 100 },
    });
    gateway.settings = { ...business, max_concurrent_calls: MAX };

    const answers = await Promise.all(Array.from({ length: MAX + 2 }, (_, index) => ring(index)));
    expect(answers).toEqual(answers.map((_answer, index) => (index < MAX ? 'connected' : 'busy')));
    expect(asked, 'calls that waited for the bucket one after another').toBeLessThan(MAX / 2);

    bucket.isAway = false;
    back.resolve();
    const connected = Array.from({ length: MAX }, (_, index) => sidOf(index));
    const recorded = (): string[] => [...bucket.entries.keys()].filter((key) => key.startsWith('call.')).toSorted();
    await expect.poll(recorded, { timeout: 10_000 }).toEqual(connected.map((callSid) => `call.${callSid}`));
    const places = (): string => bucket.entries.get('business.biz_1')?.json ?? '';
    await expect
      .poll(() => connected.filter((callSid) => places().includes(callSid)).length, { timeout: 10_000 })
      .toBe(MAX);
    expect([10, 11].map(sidOf).filter((callSid) => places().includes(callSid))).toEqual([]);
  });
});
