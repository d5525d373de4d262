import type { StageResults } from '@pipeline/contracts';
import type { DocumentContent } from '../call-log/mapping.ts';

/** A stage of an update pipeline that puts a whole document in place of what was there. */
export type Replacement = [{ readonly $replaceWith: Readonly<Record<string, unknown>> }];

/** What the pipeline looks at in a new CallLog. */
type NextContent = DocumentContent & { readonly revision: number; readonly stages: StageResults };

/**
 * The next revision of a CallLog in place of the one before, of which `previous` keeps what it said. One in which a part failed that is
 * done in what stands takes nothing from it: only its number and how it ended are noted. `previous` keeps the last complete one. Times
 * are the database's. The content stands in `$literal`: words of a caller such as `$summary` must stay words.
 */
export function nextRevision(content: NextContent): Replacement {
  const before = {
    revision: '$revision',
    summary: { $ifNull: ['$summary', null] },
    fields: { $ifNull: ['$fields', []] },
  };
  const own = {
    _id: '$_id',
    previous: { $cond: [isThere('$revision'), { $cond: [isWorseThanPrevious, '$previous', before] }, null] },
    stored_at: '$$NOW',
    createdAt: { $ifNull: ['$createdAt', '$$NOW'] },
    updatedAt: '$$NOW',
  };
  const next = { $mergeObjects: [{ $literal: content }, own] };
  const { revision, stages } = content;
  const noted = { revision, failed_revision: { $literal: { revision, stages } }, updatedAt: '$$NOW' };
  const kept = { $mergeObjects: ['$$ROOT', noted] };
  return [{ $replaceWith: { $cond: [losesPart(stages), kept, next] } }];
}

/** A partial document that has something before it. */
const isWorseThanPrevious = {
  $and: [{ $eq: ['$status', 'partial'] }, { $eq: [{ $type: '$previous' }, 'object'] }],
};

/** Whether a part that is done in what stands is not done in these. */
function losesPart(stages: StageResults): Readonly<Record<string, unknown>> {
  const undone = (['transcriber', 'summarizer', 'extractor'] as const).filter(
    (stage) => stages[stage]?.state !== 'done',
  );
  return { $or: [false, ...undone.map((stage) => ({ $eq: [`$stages.${stage}.state`, 'done'] }))] };
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
