import { ApiError } from './api-error.ts';

export type ModelKind = 'transcription' | 'text' | 'realtime';
export type Model = {
  readonly id: string;
  readonly kind: ModelKind;
  /** The day on which the model leaves the API, or null. */
  readonly shutdownDate: string | null;
};

/** The models that the sandbox answers for, as they stood in November 2026. */
const MODELS: readonly Model[] = [
  ...named('transcription', null, 'gpt-transcribe', 'gpt-live-transcribe'),
  ...named('transcription', '2027-02-26', 'whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini-transcribe'),
  ...named('realtime', null, 'gpt-realtime-2.1', 'gpt-realtime-2.1-mini'),
  ...named('realtime', '2027-01-20', 'gpt-realtime', 'gpt-realtime-mini'),
  ...named('text', null, 'gpt-6.1-sol', 'gpt-6.1-terra', 'gpt-6-luna'),
  ...named('text', '2027-04-01', 'gpt-5.1'),
  ...named('text', '2027-01-14', 'gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini'),
  ...named('text', '2026-12-11', 'gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'o3'),
];

/** Any fixed moment: the rows must not differ from one answer to the next. */
const CREATED = 1_767_225_600;

/** The model of that name for that use. Throws the 404 that OpenAI answers for any other. */
export function findModel(id: string, kind: ModelKind): Model {
  const model = MODELS.find((candidate) => candidate.id === id && candidate.kind === kind);
  if (model !== undefined) return model;
  throw new ApiError(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
    code: 'model_not_found',
  });
}

/** Models that think before they answer take no temperature but 1, and `max_completion_tokens` instead of `max_tokens`. */
export function isReasoning(model: Model): boolean {
  return model.kind === 'text' && !model.id.startsWith('gpt-4');
}

/** The rows of `GET /v1/models`. */
export function modelRows(): object[] {
  return MODELS.map(modelRow);
}

/** One row, or the 404. */
export function modelRowOf(id: string): object {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined)
    throw new ApiError(404, `The model '${id}' does not exist`, { code: 'model_not_found', param: 'model' });
  return modelRow(model);
}

function modelRow(model: Model): object {
  return { id: model.id, object: 'model', created: CREATED, owned_by: 'openai', shutdown_date: model.shutdownDate };
}

function named(kind: ModelKind, shutdownDate: string | null, ...ids: string[]): Model[] {
  return ids.map((id) => ({ id, kind, shutdownDate }));
}
