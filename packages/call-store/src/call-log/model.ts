import { Schema, type Connection, type Model } from 'mongoose';
import type { CollectionPlan } from '../connection/collections.ts';
import { modelOf } from '../connection/model.ts';

const CALL_LOG_COLLECTION = 'call_logs';

/** Days that the shell of an expired call stays after the end of the call: longer than streams and dead letters. */
const SHELL_DAYS = 45;

/** What every document of a call has, whatever became of it. */
type Kept = { readonly _id: string; readonly businessId: string; readonly revision: number };

/** The CallLog as it is kept: `_id` is the CallSid, instants are dates, the rest is as contracts' schema says. */
type CallLogDocument = Kept & {
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly stored_at: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
} & Readonly<Record<string, unknown>>;
/** What stays of an erased call, for ever. */
type Tombstone = Kept & { readonly erased: true; readonly erasedAt: Date };
/** What stays of a call after its retention, until the index removes it. */
type ExpiredShell = Kept & { readonly expired: true; readonly endedAt: Date };

/** Any document of the collection. */
export type StoredDocument = CallLogDocument | Tombstone | ExpiredShell;

/** No defaults: a document is exactly what was written. */
const text = { type: String, default: undefined };

/**
 * Every first-class field of a call, one line each: a new one is added here, in contracts, in extractor and in the payload.
 * A test holds this list equal to contracts' schema. Keys that no list knows are kept as they are.
 */
export const callLogModelSchema = new Schema<StoredDocument>(
  {
    _id: { type: String, required: true },
    businessId: text,
    from: text,
    to: text,
    direction: text,
    startedAt: Date,
    endedAt: Date,
    endedReason: text,
    source: text,
    duration_sec: Number,
    transcription: text,
    transcription_turns: { type: [Schema.Types.Mixed], default: undefined },
    final_transcript: text,
    final_segments: { type: [Schema.Types.Mixed], default: undefined },
    transcript_language: text,
    transcript_quality: Schema.Types.Mixed,
    summary: text,
    extracted_city: text,
    extracted_service: text,
    fields: { type: [Schema.Types.Mixed], default: undefined },
    stages: Schema.Types.Mixed,
    status: text,
    revision: Number,
    previous: Schema.Types.Mixed,
    failed_revision: Schema.Types.Mixed,
    stored_at: Date,
    createdAt: Date,
    updatedAt: Date,
    erased: Boolean,
    erasedAt: Date,
    expired: Boolean,
  },
  { collection: CALL_LOG_COLLECTION, versionKey: false, strict: false, autoCreate: false, autoIndex: false },
);

/** `retention` touches only shells of expired calls: a CallLog never vanishes by itself. */
export const CALL_LOG_PLAN: readonly CollectionPlan[] = [
  {
    database: 'calls',
    name: CALL_LOG_COLLECTION,
    indexes: [
      {
        name: 'retention',
        key: { endedAt: 1 },
        expireAfterSeconds: SHELL_DAYS * 86_400,
        partialFilterExpression: { expired: true },
      },
      // What a page over it says is in the index itself: days of CallLogs are looked at every few minutes, and none is read.
      { name: 'stored_at', key: { stored_at: 1, _id: 1, businessId: 1, revision: 1 } },
      // Tombstones stay for ever, and only the latest are looked for.
      { name: 'erased', key: { erasedAt: 1, _id: 1 }, partialFilterExpression: { erased: true } },
      // What a retention has still to end: shells, of which there may be millions, and tombstones have no `stored_at`.
      {
        name: 'content',
        key: { businessId: 1, endedAt: 1 },
        partialFilterExpression: { stored_at: { $exists: true } },
      },
    ],
    retired: ['business'],
  },
];

/** The model of the collection on a connection to `calls`. */
export function callLogModel(connection: Connection): Model<StoredDocument> {
  return modelOf(connection, callLogModelSchema, CALL_LOG_COLLECTION);
}
