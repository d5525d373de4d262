import { z } from 'zod';
import { ApiError, badRequest } from '../api-error.ts';
import { findModel, type Model } from '../models.ts';

/** A transcription that is asked for, checked. */
export type TranscriptionRequest = {
  readonly model: Model;
  readonly file: File;
  readonly format: 'json' | 'text' | 'srt' | 'vtt' | 'verbose_json';
  readonly wantsSegments: boolean;
  readonly wantsWords: boolean;
};

const MAX_FILE_BYTES = 25 * 1_024 * 1_024;
const EXTENSION = /\.(flac|mp3|mp4|mpeg|mpga|m4a|ogg|wav|webm)$/i;
/** Languages that gpt-transcribe takes as a hint: not every code of ISO 639-1. */
const LANGUAGES = new Set(
  'ar bg ca cs da de el en es et fa fi fr he hi hr hu id it ja kk ko lt lv ms nl no pl pt ro ru sk sl sr sv ta th tr uk ur vi zh'.split(
    ' ',
  ),
);
const formatSchema = z.enum(['json', 'text', 'srt', 'vtt', 'verbose_json']);

/** The body of a request as a form. Throws the 400 of one that is none. */
export async function readForm(body: unknown, contentType: string | undefined): Promise<FormData> {
  if (!Buffer.isBuffer(body) || contentType === undefined) throw badRequest('Expected a multipart form.');
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw badRequest('Could not parse multipart form.');
  }
}

/** The model that a form names, as it stands there. */
export function modelNameOf(form: FormData): string {
  return textOf(form, 'model') ?? '';
}

/** Holds a form against the rules of the endpoint and of the model. Throws what OpenAI answers to each mistake. */
export function checkForm(form: FormData): TranscriptionRequest {
  const name = textOf(form, 'model');
  if (name === undefined)
    throw badRequest("Missing required parameter: 'model'.", 'model', 'missing_required_parameter');
  const model = findModel(name, 'transcription');
  const file = form.get('file');
  if (!(file instanceof File))
    throw badRequest("Missing required parameter: 'file'.", 'file', 'missing_required_parameter');
  if (file.size > MAX_FILE_BYTES) {
    throw new ApiError(413, `Maximum content size limit (${MAX_FILE_BYTES}) exceeded (${file.size} bytes read).`);
  }
  if (!EXTENSION.test(file.name))
    throw badRequest(`Unsupported file format: ${file.name}.`, 'file', 'unsupported_format');
  const granularities = form.getAll('timestamp_granularities[]').map(String);
  const format = formatOf(form, model, granularities);
  if (textOf(form, 'stream') === 'true') throw badRequest('The sandbox does not stream transcriptions.', 'stream');
  if (model.id === 'gpt-transcribe') checkLanguages(form);
  return {
    model,
    file,
    format,
    wantsSegments: granularities.length === 0 || granularities.includes('segment'),
    wantsWords: granularities.includes('word'),
  };
}

function formatOf(form: FormData, model: Model, granularities: readonly string[]): TranscriptionRequest['format'] {
  const wanted = formatSchema.safeParse(textOf(form, 'response_format') ?? 'json');
  const isTaken = wanted.success && (model.id === 'whisper-1' || wanted.data === 'json' || wanted.data === 'text');
  if (!isTaken) {
    const message = `response_format '${textOf(form, 'response_format')}' is not compatible with model '${model.id}'.`;
    throw badRequest(message, 'response_format', 'unsupported_value');
  }
  if (granularities.length > 0 && wanted.data !== 'verbose_json') {
    const message = "Timestamp granularities are only supported with response_format 'verbose_json'.";
    throw badRequest(message, 'timestamp_granularities', 'unsupported_value');
  }
  return wanted.data;
}

function checkLanguages(form: FormData): void {
  const unknown = form
    .getAll('languages[]')
    .map(String)
    .find((code) => !LANGUAGES.has(code));
  if (unknown !== undefined) throw badRequest(`Language '${unknown}' is not supported.`, 'languages', 'invalid_value');
}

function textOf(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  return typeof value === 'string' ? value : undefined;
}
