import { expect, test } from 'vitest';
import { callLogSchema } from '@pipeline/contracts';
import { newCallLog, newCallSid } from '../fixtures/call-log.ts';
import { fromDocument, toCallLog, toContent } from './mapping.ts';
import { callLogModelSchema } from './model.ts';

const SID = newCallSid();
const STORED_AT = new Date('2025-12-09T10:31:00.000Z');

test('the model has every first-class field of the contract and no other', () => {
  const own = ['_id', 'createdAt', 'updatedAt', 'erased', 'erasedAt', 'expired'];
  const inModel = Object.keys(callLogModelSchema.paths).filter((path) => !own.includes(path));
  const inContract = Object.keys(callLogSchema.shape).filter((key) => key !== 'callSid');
  expect(inModel.toSorted()).toEqual(inContract.toSorted());
});

test('a CallLog becomes a document with dates and comes back with the same instants', () => {
  const log = newCallLog(SID, 2, { brand_new: { nested: true } });
  const content = toContent(log);
  expect(content.startedAt).toEqual(new Date('2025-12-09T10:25:00Z'));
  expect(content).not.toHaveProperty('callSid');
  const times = { stored_at: STORED_AT, createdAt: STORED_AT, updatedAt: STORED_AT };
  expect(toCallLog({ ...content, ...times, _id: SID, previous: null })).toEqual({
    ...log,
    startedAt: '2025-12-09T10:25:00.000Z',
    previous: null,
    stored_at: STORED_AT.toISOString(),
  });
});

test('a tombstone and an expired shell are told apart from a CallLog', () => {
  const kept = { _id: SID, businessId: 'biz_1', revision: 3 };
  const facts = { businessId: 'biz_1', revision: 3 };
  expect(fromDocument(null)).toEqual({ kind: 'none' });
  expect(fromDocument({ ...kept, erased: true, erasedAt: STORED_AT })).toEqual({
    kind: 'erased',
    ...facts,
    erasedAt: STORED_AT.toISOString(),
  });
  expect(fromDocument({ ...kept, expired: true, endedAt: STORED_AT })).toEqual({ kind: 'expired', ...facts });
});

test('a document that is no CallLog is refused by the place and never by its words', () => {
  const broken = {
    ...toContent(newCallLog(SID)),
    _id: SID,
    summary: { canary: 1 },
    previous: null,
    stored_at: STORED_AT,
  };
  expect(() => toCallLog(broken)).toThrow('a stored CallLog does not fit at summary');
});
