export { boundaryFor } from './boundary.ts';
export { createAiClient, KEY_HEADERS, type AiClientOptions, type KeyHeader, type Transcription } from './client.ts';
export { aiFailure, isRefusalOf } from './failure.ts';
export { FORM_MODES, type FormMode } from './form.ts';
export type { Answer, Question } from './question.ts';
export { createTextModel, TEXT_APIS, type TextApi, type TextModelOptions } from './text-model.ts';
