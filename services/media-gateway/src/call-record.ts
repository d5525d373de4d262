import { analysisSettingsSchema, businessIdSchema } from '@pipeline/contracts';
import { z } from 'zod';
import type { CallPlan } from './call/call.ts';

/** What any process needs to publish the end of a call that it did not carry. Times in ms since 1970. */
const factsSchema = z.object({
  businessId: businessIdSchema,
  from: z.string().nullable(),
  to: z.string().nullable(),
  direction: z.enum(['inbound', 'outbound']),
  startedAt: z.number(),
  analysis: analysisSettingsSchema,
});
export type CallFacts = z.infer<typeof factsSchema>;

/** What the process of the media stream needs besides: only until the stream has opened. */
const setupSchema = z.object({
  greeting: z.string(),
  instructions: z.string(),
  voice: z.string(),
  language: z.string(),
  keywords: z.array(z.string()),
});

/** A token as it is stored: who reads the bucket cannot open a stream. */
const tokenSchema = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), expiresAt: z.number() });
export type StoredToken = z.infer<typeof tokenSchema>;

/**
 * What all processes know of a call. It only moves forward:
 * `answered` TwiML was given, no media stream has opened;
 * `refused` the business called and somebody answered, but there was no room: it ends without ever having a media stream;
 * `live` the owner has its media stream, and with it the only live transcript; with `endedReason` it is over, and last words are awaited;
 * `ending` it ends without a media stream, or its owner was silent: the new owner publishes it;
 * `published` the stream has `call.ended`. Phone numbers are gone from here.
 */
export const callRecordSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('answered'),
    facts: factsSchema,
    setup: setupSchema,
    tokens: z.array(tokenSchema).max(3),
  }),
  z.object({ state: z.literal('refused'), facts: factsSchema }),
  z.object({
    state: z.literal('live'),
    facts: factsSchema,
    owner: z.string(),
    endedReason: z.string().max(64).optional(),
  }),
  z.object({ state: z.literal('ending'), facts: factsSchema, owner: z.string() }),
  z.object({ state: z.literal('published'), endedReason: z.string().max(64).optional() }),
]);
export type CallRecord = z.infer<typeof callRecordSchema>;
export type AnsweredRecord = Extract<CallRecord, { state: 'answered' }>;
export type RefusedRecord = Extract<CallRecord, { state: 'refused' }>;
/** `owner` is the id of a process. */
export type OwnedRecord = Extract<CallRecord, { owner: string }>;

export function keyOfCall(callSid: string): string {
  return `call.${callSid}`;
}

/** A call that was answered just now. */
export function answeredRecord(plan: CallPlan, token: StoredToken): AnsweredRecord {
  const { instructions, voice, language, keywords } = plan.agent;
  return {
    state: 'answered',
    facts: factsOf(plan),
    setup: { greeting: plan.greeting, instructions, voice, language, keywords: [...keywords] },
    tokens: [token],
  };
}

export function factsOf({ businessId, from, to, direction, startedAt, analysis }: CallPlan): CallFacts {
  return { businessId, from, to, direction, startedAt, analysis };
}

/** The plan of a call that another process answered. Without its setup no media stream can open, so no agent is needed. */
export function planOfRecord(
  callSid: string,
  record: Exclude<CallRecord, { state: 'published' }>,
  limits: CallPlan['limits'],
): CallPlan {
  const { language, keywords } = record.facts.analysis;
  const setup =
    record.state === 'answered' ? record.setup : { greeting: '', instructions: '', voice: '', language, keywords };
  const { greeting, ...agent } = setup;
  return { ...record.facts, callSid, greeting, agent: { ...agent, callSid }, limits };
}
