import type { CallLog, FieldResult } from '@pipeline/contracts';

/** One field that came out otherwise; null where the field was not asked for. */
export type FieldChange = {
  readonly key: string;
  readonly before: Pick<FieldResult, 'status' | 'value'> | null;
  readonly after: Pick<FieldResult, 'status' | 'value'> | null;
};

/** What a new revision says otherwise than the one before it. */
export type Difference = {
  readonly status: { readonly before: CallLog['status']; readonly after: CallLog['status'] } | null;
  readonly summary: { readonly before: string | null; readonly after: string | null } | null;
  readonly fields: readonly FieldChange[];
};

/** Compares two revisions of a CallLog: status, summary, and the value and status of every field, in the order of the new one. */
export function differenceOf(before: CallLog, after: CallLog): Difference {
  const keys = new Set([...after.fields, ...before.fields].map(({ key }) => key));
  const changes = [...keys].map((key) => ({ key, before: findingOf(before, key), after: findingOf(after, key) }));
  return {
    status: before.status === after.status ? null : { before: before.status, after: after.status },
    summary: before.summary === after.summary ? null : { before: before.summary, after: after.summary },
    fields: changes.filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after)),
  };
}

/** Whether two revisions say the same. */
export function isSame({ status, summary, fields }: Difference): boolean {
  return status === null && summary === null && fields.length === 0;
}

function findingOf(callLog: CallLog, key: string): FieldChange['after'] {
  const field = callLog.fields.find((one) => one.key === key);
  return field === undefined ? null : { status: field.status, value: field.value };
}
