import { describe, expect, test } from 'vitest';
import { callExtractedSchema, fieldsToExtract, stageDone, type FieldDefinition } from '@pipeline/contracts';
import { callLogOf } from './call-log.ts';
import { erase } from './erase.ts';
import { CALL_SID, summarized } from './fixtures.ts';
import { createEraseReport, createReport } from './report.ts';

const result = stageDone({ model: 'm', attempts: 1, ms: 1 });
const evidence = { quote: 'q', source: 'summary' as const, start: 0 };
const fields = [
  { key: 'city', value: 'תל אביב', status: 'found' as const, evidence },
  { key: 'service', value: 'שיפוצים', status: 'found' as const, evidence },
  { key: 'caller_name', value: 'Dani Levi', status: 'found' as const, evidence },
];

function linesOf(definitions: readonly FieldDefinition[], extracted = fields) {
  const lines: { fields: object; message: string }[] = [];
  const report = createReport({ info: (more, message) => void lines.push({ fields: more, message }) });
  report(callLogOf(summarized, { fields: extracted, result }), definitions);
  return lines;
}

describe('the lines of the extractor', () => {
  test('are the two that operators look for, and one with the status of every field', () => {
    expect(linesOf(fieldsToExtract([]))).toEqual([
      { fields: { callSid: CALL_SID }, message: "[OFFLINE_EXTRACT] ✅ Extracted city: 'תל אביב'" },
      { fields: { callSid: CALL_SID }, message: "[OFFLINE_EXTRACT] ✅ Extracted service: 'שיפוצים'" },
      {
        fields: { callSid: CALL_SID, fields: { city: 'found', service: 'found', caller_name: 'found' }, count: 3 },
        message: '[OFFLINE_EXTRACT] CallLog stored',
      },
    ]);
  });

  test('say no value of a sensitive field, of any other field, or of the call', () => {
    const sensitive = fieldsToExtract([]).map((field) => ({ ...field, sensitive: true }));
    expect(JSON.stringify(linesOf(sensitive))).not.toContain('תל אביב');
    expect(JSON.stringify(linesOf(fieldsToExtract([])))).not.toMatch(/Dani|\+972|רוצה|live words/);
  });

  test('say nothing of a city that was not found', () => {
    expect(linesOf(fieldsToExtract([]), []).map(({ message }) => message)).toEqual([
      '[OFFLINE_EXTRACT] CallLog stored',
    ]);
  });
});

describe('an erase command', () => {
  test.each([
    ['erased', 'info call erased', [8]],
    ['already', 'info call erased', [8]],
    ['other_business', 'warn not erased: the call is of another business', []],
  ] as const)(
    'that ends as %s is done, told, and announced above every revision of the call',
    async (kind, line, told) => {
      const lines: string[] = [];
      const erased: object[] = [];
      const command = { ...summarized, type: 'call.erase' as const, revision: 4, data: { requestedBy: 'operator' } };
      const report = createEraseReport({
        info: (_fields, message) => void lines.push(`info ${message}`),
        warn: (_fields, message) => void lines.push(`warn ${message}`),
      });
      const deps = {
        erase: async (call: object) => (erased.push(call), { kind }),
        find: async () => ({ kind: 'erased' as const, revision: 7 }),
        report,
        now: () => 0,
      };
      const notices = await erase(command, deps, new AbortController().signal);
      expect(notices.map(({ revision }) => revision)).toEqual([...told]);
      expect(notices.every((notice) => callExtractedSchema.safeParse(notice).success)).toBe(true);
      expect(erased).toEqual([{ callSid: CALL_SID, businessId: 'biz_1', revision: 4 }]);
      expect(lines).toEqual([line]);
    },
  );
});
