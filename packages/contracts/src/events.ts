import { z } from 'zod';
import {
  businessIdSchema,
  callSidSchema,
  instantSchema,
  phoneSchema,
  revisionSchema,
  wordSchema,
} from './identifiers.ts';
import { analysisSettingsSchema } from './settings.ts';
import { stageResultsSchema } from './stages.ts';
import { liveTurnSchema, transcriptSchema } from './transcript.ts';

/** The major version of the events that this code writes and reads. Another major is a dead letter, never a crash. */
export const EVENT_VERSION = 1;

/** Who notices that a call has ended, and publishes it. */
export const CALL_SOURCES = ['gateway', 'reconciled'] as const;
export type CallSource = (typeof CALL_SOURCES)[number];

/**
 * The facts of a call, the same in every event. `from` and `to` are as Twilio gave them (E.164, `anonymous`, a SIP address), kept raw;
 * `durationSec` is whole seconds by the publisher's own clock. `source` says who noticed the end: one of
 * {@link CALL_SOURCES}, of this release or of another one.
 */
export const callFactsSchema = z.looseObject({
  from: z.string().max(512).nullable(),
  to: z.string().max(512).nullable(),
  direction: z.enum(['inbound', 'outbound']),
  startedAt: instantSchema,
  endedAt: instantSchema,
  durationSec: z.int().min(0).nullable(),
  endedReason: z.string().max(64),
  source: wordSchema.meta({ examples: [...CALL_SOURCES] }),
});
export type CallFacts = z.infer<typeof callFactsSchema>;

const envelopeShape = {
  version: z.literal(EVENT_VERSION),
  id: z.string().min(1).max(200),
  occurredAt: instantSchema,
  businessId: businessIdSchema,
  callSid: callSidSchema,
  revision: revisionSchema,
};

const endedShape = {
  call: callFactsSchema,
  analysis: analysisSettingsSchema,
  liveTranscript: z.array(liveTurnSchema).max(10_000).nullable(),
};
const transcribedShape = { ...endedShape, transcript: transcriptSchema.nullable(), stages: stageResultsSchema };
const summarizedShape = { ...transcribedShape, summary: z.string().min(1).max(20_000).nullable() };

/** A call ended; everything that the gateway knows of it. */
export const callEndedSchema = z.looseObject({
  type: z.literal('call.ended'),
  ...envelopeShape,
  data: z.looseObject(endedShape),
});
/** The call and its final transcript, or the reason why there is none. */
export const callTranscribedSchema = z.looseObject({
  type: z.literal('call.transcribed'),
  ...envelopeShape,
  data: z.looseObject(transcribedShape),
});
/** The call, its transcript and its summary, or the reasons. */
export const callSummarizedSchema = z.looseObject({
  type: z.literal('call.summarized'),
  ...envelopeShape,
  data: z.looseObject(summarizedShape),
});
/** A notice: the CallLog is stored at this revision. `notify: false` asks for no `call.updated`. */
export const callExtractedSchema = z.looseObject({
  type: z.literal('call.extracted'),
  ...envelopeShape,
  data: z.looseObject({ notify: z.boolean() }),
});
/**
 * A command: forget this call. Consumed by extractor, which writes the tombstone; `because` of `retention` it empties the CallLog
 * instead, if its business's days are over by then. Somebody's request when absent.
 */
export const callEraseSchema = z.looseObject({
  type: z.literal('call.erase'),
  ...envelopeShape,
  data: z.looseObject({ requestedBy: z.string().max(200), because: z.enum(['request', 'retention']).optional() }),
});

export type CallEnded = z.infer<typeof callEndedSchema>;
export type CallTranscribed = z.infer<typeof callTranscribedSchema>;
export type CallSummarized = z.infer<typeof callSummarizedSchema>;
export type CallExtracted = z.infer<typeof callExtractedSchema>;
export type CallErase = z.infer<typeof callEraseSchema>;

/** The schema of every event by its type. */
export const EVENT_SCHEMAS = {
  'call.ended': callEndedSchema,
  'call.transcribed': callTranscribedSchema,
  'call.summarized': callSummarizedSchema,
  'call.extracted': callExtractedSchema,
  'call.erase': callEraseSchema,
} as const;

export type EventType = keyof typeof EVENT_SCHEMAS;
/** The event of a type. */
export type EventOf<T extends EventType> = z.infer<(typeof EVENT_SCHEMAS)[T]>;
/** Any event that a service may publish. */
export type OutboundEvent = CallEnded | CallTranscribed | CallSummarized | CallExtracted | CallErase;

/** An event as a handler receives it: `attempt` counts the deliveries of its message, from 1. */
export type Received<E extends OutboundEvent> = E & { readonly attempt: number };

/** The id of the next event of a call, the same however often it is made (L7). Also its message id in the stream. */
export function eventId(callSid: string, stage: string, revision: number): string {
  return `${callSid}:${stage}:r${revision}`;
}

/**
 * Removes the large parts of an event so that what is left still is a valid event of its type: what travels in place of an
 * event that goes by reference, and what is worked on when the referenced object is gone (`OBJECT_MISSING`).
 */
export function withoutLargeParts(event: OutboundEvent): OutboundEvent {
  switch (event.type) {
    case 'call.ended':
      return { ...event, data: { ...event.data, liveTranscript: null } };
    case 'call.transcribed':
      return { ...event, data: { ...event.data, liveTranscript: null, transcript: null } };
    case 'call.summarized':
      return { ...event, data: { ...event.data, liveTranscript: null, transcript: null, summary: null } };
    case 'call.extracted':
    case 'call.erase':
      return event;
  }
}

/**
 * What a withheld number looks like: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE as the keys of a telephone, in the
 * form of E.164 though no such number can exist. Twilio sends these and the words themselves.
 */
const WITHHELD: ReadonlySet<string> = new Set(['+266696687', '+7378742833', '+2562533', '+8656696', '+86282452253']);

/** `from` when inbound, `to` when outbound, if it is a number in E.164 that was not withheld, else `null`. */
export function customerPhone(call: {
  readonly from: string | null;
  readonly to: string | null;
  readonly direction: string;
}): string | null {
  const raw = call.direction === 'outbound' ? call.to : call.from;
  const parsed = phoneSchema.safeParse(raw);
  return parsed.success && !WITHHELD.has(parsed.data) ? parsed.data : null;
}
