import { businessIdSchema, fieldKeySchema, instantSchema, languageSchema, phoneSchema } from '@pipeline/contracts';
import { z } from 'zod';

/** `interruptsAfterMs`: the caller does not wait for the end of the agent's words, but speaks when so much of them was heard. */
const turnSchema = z
  .strictObject({
    speaker: z.enum(['caller', 'agent']),
    text: z.string().min(1).max(2_000),
    interruptsAfterMs: z.int().min(200).max(60_000).optional(),
  })
  .refine((turn) => turn.speaker === 'caller' || turn.interruptsAfterMs === undefined, {
    path: ['interruptsAfterMs'],
    message: 'only a caller interrupts',
  });

/** What the text model says about a call: the value of a field, and the words of the summary that it comes from. */
const answerSchema = z.strictObject({ value: z.json(), quote: z.string().min(1).max(2_000) });

const answersSchema = z.strictObject({
  summary: z.string().min(1).nullable(),
  fields: z.record(fieldKeySchema, answerSchema),
});

/**
 * One call as it should go. The telephone speaks the caller's turns, the AI provider the agent's; the first turn is the greeting
 * of the business. `answers` is what the text model says of it; a real model needs none. `expect` is for tests and evaluation alone: the sandbox never
 * reads it. `silent`: the caller stays on the line for a while and nobody speaks; without turns and not silent, the caller
 * hangs up at once.
 */
export const dialogueSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,64}$/),
    language: languageSchema,
    businessId: businessIdSchema,
    direction: z.enum(['inbound', 'outbound']),
    from: phoneSchema,
    to: phoneSchema,
    /** When the call began, for days that are said as "tomorrow". The telephone does not look at it. */
    startedAt: instantSchema.default('2025-12-09T10:30:00Z'),
    silent: z.boolean().default(false),
    turns: z.array(turnSchema).max(200),
    ending: z.enum(['caller_hangs_up', 'agent_hangs_up']),
    answers: answersSchema.default({ summary: null, fields: {} }),
    expect: z.strictObject({
      status: z.enum(['complete', 'partial']).optional(),
      city: z.string().nullable(),
      service: z.string().nullable(),
      fields: z.record(fieldKeySchema, z.json()),
    }),
  })
  .refine((dialogue) => !dialogue.silent || dialogue.turns.length === 0, {
    path: ['turns'],
    message: 'a silent call has no turns',
  });
export type Dialogue = z.infer<typeof dialogueSchema>;

/** For texts and fields that no dialogue knows: a text that contains one of `words` says that `field` is `value`. */
const keywordRuleSchema = z.strictObject({
  field: fieldKeySchema,
  value: z.json(),
  words: z.array(z.string().min(1)).min(1),
});
export type KeywordRule = z.infer<typeof keywordRuleSchema>;

/** By language. */
export const keywordRulesSchema = z.record(languageSchema, z.array(keywordRuleSchema));
export type KeywordRules = z.infer<typeof keywordRulesSchema>;
