export { boundaryFor } from './boundary.ts';
export { createAiClient, type AiClientOptions, type Transcription } from './client.ts';
export { aiFailure, isRefusalOf } from './failure.ts';
export type { Answer, Question } from './question.ts';
export { createTextModel, type TextModelOptions } from './text-model.ts';
