import mongoose from 'mongoose';
import { expect, test } from 'vitest';
import { PermanentError } from '@pipeline/contracts';
import { toContent } from '../call-log/mapping.ts';
import { newCallLog, newCallSid } from '../fixtures/call-log.ts';
import { fitCallLog } from './fit.ts';

const SID = newCallSid();
const LIMIT = 20_000;
const LONG = 'ש'.repeat(6_000); // 12,000 bytes

test('a CallLog that fits is left alone', () => {
  const log = newCallLog(SID);
  expect(fitCallLog(log)).toBe(log);
});

test('the segments go first: the transcript that the webhook needs stays whole', () => {
  const segments = [{ speaker: 'caller' as const, text: LONG, startMs: 0, endMs: 1 }];
  const log = fitCallLog(newCallLog(SID, 1, { final_transcript: LONG, final_segments: segments }), LIMIT);
  expect(log).toMatchObject({
    final_transcript: LONG,
    final_segments: [],
    omitted: ['final_segments'],
    status: 'complete',
  });
});

test('a transcript that cannot fit goes last, and its stage says so', () => {
  const log = fitCallLog(newCallLog(SID, 1, { final_transcript: LONG + LONG }), LIMIT);
  expect(log).toMatchObject({ final_transcript: null, transcription: null, status: 'partial' });
  expect(log.stages.transcriber).toMatchObject({ state: 'failed', code: 'EVENT_TOO_LARGE', model: 'm' });
  expect(log.stages.summarizer).toMatchObject({ state: 'done' });
  expect(log.summary).toBe('$summary of revision 1');
  expect(mongoose.mongo.BSON.calculateObjectSize(toContent(log))).toBeLessThanOrEqual(LIMIT);
});

test('what is too large in every part is refused for good', () => {
  const huge = newCallLog(SID, 1, { summary: LONG + LONG });
  expect(() => fitCallLog(huge, LIMIT)).toThrow(PermanentError);
});
