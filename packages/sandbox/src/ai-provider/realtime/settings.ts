import { z } from 'zod';
import { badRequest } from '../api-error.ts';
import { parseBody } from '../body.ts';
import { findModel } from '../models.ts';

const formatSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('audio/pcmu') }),
  z.strictObject({ type: z.literal('audio/pcma') }),
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.literal(24_000).default(24_000) }),
]);

const turnDetectionSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('server_vad'),
    threshold: z.number().min(0).max(1).default(0.5),
    prefix_padding_ms: z.int().min(0).max(5_000).default(300),
    silence_duration_ms: z.int().min(20).max(10_000).default(500),
    create_response: z.boolean().default(true),
    interrupt_response: z.boolean().default(true),
    idle_timeout_ms: z.int().min(5_000).max(30_000).nullable().default(null),
  }),
  z.strictObject({
    type: z.literal('semantic_vad'),
    eagerness: z.enum(['low', 'medium', 'high', 'auto']).default('auto'),
    create_response: z.boolean().default(true),
    interrupt_response: z.boolean().default(true),
  }),
]);

const transcriptionSchema = z.strictObject({
  model: z.string(),
  language: z.string().optional(),
  languages: z.array(z.string()).optional(),
  keywords: z.array(z.string()).optional(),
  prompt: z.string().optional(),
  delay: z.union([z.string(), z.number()]).optional(),
});

const toolSchema = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().optional(),
  parameters: z.looseObject({ type: z.literal('object') }).optional(),
});

/** What `session.update` may carry. Fields that are not sent keep their value. */
const updateSchema = z.strictObject({
  type: z.literal('realtime'),
  model: z.string().optional(),
  instructions: z.string().max(200_000).optional(),
  output_modalities: z.tuple([z.enum(['audio', 'text'])]).optional(),
  audio: z
    .strictObject({
      input: z
        .strictObject({
          format: formatSchema.optional(),
          noise_reduction: z.strictObject({ type: z.enum(['near_field', 'far_field']) }).nullish(),
          transcription: transcriptionSchema.nullish(),
          turn_detection: turnDetectionSchema.nullish(),
        })
        .optional(),
      output: z
        .strictObject({
          format: formatSchema.optional(),
          voice: z.union([z.string().min(1), z.strictObject({ id: z.string() })]).optional(),
          speed: z.number().min(0.25).max(1.5).optional(),
        })
        .optional(),
    })
    .optional(),
  tools: z.array(toolSchema).max(128).optional(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.strictObject({ effort: z.string() }).nullish(),
  max_output_tokens: z.union([z.literal('inf'), z.int().min(1).max(4_096)]).optional(),
  truncation: z.union([z.enum(['auto', 'disabled']), z.looseObject({ type: z.literal('retention_ratio') })]).optional(),
  tracing: z.union([z.literal('auto'), z.looseObject({})]).nullish(),
  prompt: z.looseObject({ id: z.string() }).nullish(),
  include: z.array(z.string()).nullish(),
});
type Update = z.infer<typeof updateSchema>;
type InputAudio = NonNullable<NonNullable<Update['audio']>['input']>;
type OutputAudio = NonNullable<NonNullable<Update['audio']>['output']>;

/** Every field is there. */
type Whole<T> = { readonly [Key in keyof T]-?: Exclude<T[Key], undefined> };

/** A session as `session.created` and `session.updated` show it. */
export type Settings = Omit<Update, 'audio' | 'instructions' | 'tools'> & {
  readonly object: 'realtime.session';
  readonly id: string;
  readonly model: string;
  readonly expires_at: number;
  readonly instructions: string;
  readonly tools: z.infer<typeof toolSchema>[];
  readonly audio: {
    readonly input: Whole<InputAudio>;
    readonly output: Whole<OutputAudio>;
  };
};

/** A session before the client has said anything: audio at 24 kHz, and no transcription. */
export function defaultSettings(id: string, model: string): Settings {
  return {
    type: 'realtime',
    object: 'realtime.session',
    id,
    model,
    expires_at: Math.floor(Date.now() / 1_000) + 3_600,
    output_modalities: ['audio'],
    instructions: '',
    tools: [],
    tool_choice: 'auto',
    max_output_tokens: 'inf',
    truncation: 'auto',
    tracing: null,
    prompt: null,
    include: null,
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24_000 },
        noise_reduction: null,
        transcription: null,
        turn_detection: turnDetectionSchema.parse({ type: 'server_vad' }),
      },
      output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin', speed: 1 },
    },
  };
}

/**
 * The settings after a `session.update`. Throws what OpenAI answers when it is not valid; `hasSpoken` says that the voice can no
 * longer change.
 */
export function updatedSettings(settings: Settings, session: unknown, hasSpoken: boolean): Settings {
  const update = parseBody(updateSchema, session, ['session']);
  if (update.model !== undefined && update.model !== settings.model) {
    throw badRequest('The model of a session cannot be changed.', 'session.model', 'cannot_update_model');
  }
  const { input = {}, output = {} } = update.audio ?? {};
  if (input.transcription) findModel(input.transcription.model, 'transcription');
  if (
    hasSpoken &&
    output.voice !== undefined &&
    JSON.stringify(output.voice) !== JSON.stringify(settings.audio.output.voice)
  ) {
    throw badRequest(
      'The voice cannot be changed once the assistant has spoken.',
      'session.audio.output.voice',
      'cannot_update_voice',
    );
  }
  if (update.output_modalities?.[0] === 'text') {
    throw badRequest(
      'The sandbox only speaks: output_modalities must be ["audio"].',
      'session.output_modalities',
      'invalid_value',
    );
  }
  const audio = { input: merged(settings.audio.input, input), output: merged(settings.audio.output, output) };
  return { ...merged(settings, { ...update, audio }), audio };
}

/** `base` with the fields of `change` that were sent. */
function merged<T extends object>(base: T, change: { readonly [Key in keyof T]?: T[Key] | undefined }): T {
  return { ...base, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) };
}
