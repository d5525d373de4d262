import type { DocumentContent } from '../call-log/mapping.ts';

/** A stage of an update pipeline that puts a whole document in place of what was there. */
export type Replacement = [{ readonly $replaceWith: Readonly<Record<string, unknown>> }];

/**
 * The next revision of a CallLog in place of the one before, of which `previous` keeps what it said. Times are the database's.
 * The content stands in `$literal`: words of a caller such as `$summary` must stay words.
 */
export function nextRevision(content: DocumentContent): Replacement {
  const before = {
    revision: '$revision',
    summary: { $ifNull: ['$summary', null] },
    fields: { $ifNull: ['$fields', []] },
  };
  const own = {
    _id: '$_id',
    previous: { $cond: [isThere('$revision'), before, null] },
    stored_at: '$$NOW',
    createdAt: { $ifNull: ['$createdAt', '$$NOW'] },
    updatedAt: '$$NOW',
  };
  return [{ $replaceWith: { $mergeObjects: [{ $literal: content }, own] } }];
}

/** The tombstone in place of whatever was there. Its revision never falls. */
export function tombstone(businessId: string, revision: number): Replacement {
  return [
    {
      $replaceWith: {
        _id: '$_id',
        businessId: { $literal: businessId },
        erased: { $literal: true },
        revision: { $max: [revision, '$revision'] },
        erasedAt: '$$NOW',
      },
    },
  ];
}

/** The shell that retention leaves in place of a CallLog. */
export function shell(): Replacement {
  return [
    {
      $replaceWith: {
        _id: '$_id',
        businessId: '$businessId',
        revision: '$revision',
        endedAt: '$endedAt',
        expired: { $literal: true },
      },
    },
  ];
}

function isThere(path: string): Readonly<Record<string, unknown>> {
  return { $ne: [{ $type: path }, 'missing'] };
}
