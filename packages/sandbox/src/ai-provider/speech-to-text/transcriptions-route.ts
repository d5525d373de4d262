import type { FastifyInstance } from 'fastify';
import type { Dialogue } from '../../dialogues/dialogue.ts';
import { badRequest } from '../api-error.ts';
import { checkHints } from '../dialect.ts';
import { survives, type ExchangeDeps } from '../exchange.ts';
import { excerpt } from '../ledger.ts';
import type { Model } from '../models.ts';
import { hear } from './hear.ts';
import { checkForm, modelNameOf, readForm } from './request.ts';
import { transcriptionOf } from './transcription.ts';

/** A file of 25 MB and the form around it. */
const MAX_BODY_BYTES = 27 * 1_024 * 1_024;
const MAX_SECONDS_OF_OLD_MODELS = 1_400;

/** `POST /v1/audio/transcriptions`: hears the speech in the bytes that were sent, and nothing else. */
export function addTranscriptionsRoute(app: FastifyInstance, dialogues: readonly Dialogue[], deps: ExchangeDeps): void {
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/v1/audio/transcriptions', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const entry = deps.ledger.open('transcriptions', Buffer.isBuffer(request.body) ? request.body.length : 0, request);
    const form = await readForm(request.body, request.headers['content-type']);
    entry.model = modelNameOf(form);
    checkHints(form, deps.dialect);
    const wanted = checkForm(form);
    const heard = hear(new Uint8Array(await wanted.file.arrayBuffer()));
    checkLength(wanted.model, heard.seconds);
    entry.text = excerpt(heard.text);
    entry.dialogueId = dialogueOf(heard.text, dialogues);
    const fault = deps.faults.take('transcriptions', { model: wanted.model.id, text: heard.text });
    if (!(await survives(fault, reply, deps.closing))) return reply;
    const isText = wanted.format !== 'json' && wanted.format !== 'verbose_json';
    reply.type(isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8');
    return transcriptionOf(wanted, heard, fault);
  });
}

function checkLength(model: Model, seconds: number): void {
  if (!model.id.startsWith('gpt-4o') || seconds <= MAX_SECONDS_OF_OLD_MODELS) return;
  const message = `audio duration ${seconds} seconds is longer than ${MAX_SECONDS_OF_OLD_MODELS} seconds`;
  throw badRequest(message, 'file', 'invalid_value');
}

/** The dialogue that something heard belongs to: the one that says most of it. */
function dialogueOf(heard: string, dialogues: readonly Dialogue[]): string | null {
  const scores = dialogues.map(({ id, turns }) => ({
    id,
    score: turns.filter((turn) => heard.includes(turn.text)).length,
  }));
  const best = scores.toSorted((left, right) => right.score - left.score)[0];
  return best === undefined || best.score === 0 ? null : best.id;
}
