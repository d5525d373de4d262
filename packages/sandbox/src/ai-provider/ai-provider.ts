import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { Dialogue, KeywordRules } from '../dialogues/dialogue.ts';
import { loadKeywordRules } from '../dialogues/load.ts';
import { ApiError } from './api-error.ts';
import { addDialect, DIALECTS, type DialectName } from './dialect.ts';
import { survives, type ExchangeDeps } from './exchange.ts';
import { createFaults, type AiFault } from './faults.ts';
import { createLedger, type AiRequest } from './ledger.ts';
import { modelRowOf, modelRows } from './models.ts';
import { serveRealtime } from './realtime/upgrade.ts';
import { addTranscriptionsRoute } from './speech-to-text/transcriptions-route.ts';
import { addChatRoute } from './text/chat-route.ts';
import { addResponsesRoute } from './text/responses-route.ts';
import { createTextModel, type TextModel } from './text/text-model.ts';

export type AiProviderOptions = {
  readonly dialogues: readonly Dialogue[];
  /** Keyword rules for what no dialogue knows. Default: the sandbox's own. */
  readonly rules?: KeywordRules;
  /** Another text model than the one that answers out of the dialogues. */
  readonly textModel?: TextModel;
  /** The only key that is let in. */
  readonly apiKey: string;
  /** Which server it is like: `azure`, `vllm`, `ollama`, or `plain`, which knows no forms at all. Default `openai`. */
  readonly dialect?: DialectName;
  /** A free port unless given; always on 127.0.0.1. */
  readonly port?: number;
  /** From the end of a caller's turn to its live transcription. Default 40 ms. */
  readonly transcriptionDelayMs?: number;
  /** From one 200 ms of the agent's speech to the next. Default 0: as fast as it is made. */
  readonly deltaIntervalMs?: number;
};

export type AiProvider = {
  /** `http://127.0.0.1:<port>/v1`: the base URL of an OpenAI client. */
  readonly url: string;
  readonly port: number;
  /** What was asked, oldest first, at most the last 10,000. */
  readonly requests: readonly AiRequest[];
  /** Arms a fault; the returned function removes it. */
  setFault(fault: AiFault): () => void;
  /** Ends every connection, also those that a fault keeps open. */
  close(): Promise<void>;
};

const MAX_JSON_BYTES = 8 * 1_024 * 1_024;

/**
 * Starts a server that speaks OpenAI's API: speech to text, structured outputs (responses and chat), models, and realtime agents.
 * It hears by demodulating the very bytes that it is sent, and answers out of the dialogues.
 */
export async function startAiProvider(options: AiProviderOptions): Promise<AiProvider> {
  const faults = createFaults();
  const ledger = createLedger();
  const closing = new AbortController();
  const rules = options.rules ?? (await loadKeywordRules());
  const textModel = options.textModel ?? createTextModel(options.dialogues, rules);
  const app = fastify({ bodyLimit: MAX_JSON_BYTES, forceCloseConnections: true });
  const dialect = DIALECTS[options.dialect ?? 'openai'];
  const deps: ExchangeDeps = { faults, ledger, dialect, closing: closing.signal };

  addDialect(app, dialect, options.apiKey);
  addManners(app, deps);
  addModelRoutes(app, deps);
  addTranscriptionsRoute(app, options.dialogues, deps);
  addResponsesRoute(app, textModel, deps);
  addChatRoute(app, textModel, deps);
  const pace = {
    transcriptionDelayMs: options.transcriptionDelayMs ?? 40,
    deltaIntervalMs: options.deltaIntervalMs ?? 0,
  };
  const endSessions = serveRealtime(app.server, { ...options, faults, ledger, pace });

  await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  // The server listens on TCP, so its address is one.
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests: ledger.requests,
    setFault: (fault) => faults.set(fault),
    close: async () => {
      closing.abort();
      endSessions();
      await app.close();
    },
  };
}

/** What all routes have in common: request ids, errors in OpenAI's form, and the status in the ledger. */
function addManners(app: FastifyInstance, { ledger }: ExchangeDeps): void {
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', `req_${randomUUID().replaceAll('-', '')}`).header('openai-version', '2020-10-01');
    ledger.settle(request, reply.statusCode);
  });
  app.setErrorHandler((error, _request, reply) => {
    const answer = asApiError(error);
    if (answer.retryAfter !== undefined) reply.header('retry-after', String(answer.retryAfter));
    return reply.code(answer.status).send({ error: answer.body() });
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new ApiError(404, `Invalid URL (${request.method} ${request.url})`);
    return reply.code(404).send({ error: error.body() });
  });
}

function addModelRoutes(app: FastifyInstance, deps: ExchangeDeps): void {
  app.get('/v1/models', async (request, reply) => {
    deps.ledger.open('models', 0, request);
    const fault = deps.faults.take('models', { model: '', text: '' });
    if (!(await survives(fault, reply, deps.closing))) return reply;
    return { object: 'list', data: modelRows() };
  });
  app.get<{ Params: { id: string } }>('/v1/models/:id', async (request) => modelRowOf(request.params.id));
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error && status < 500 ? error.message : 'The server had an error.';
  return new ApiError(status, message, { code: status === 500 ? 'server_error' : undefined });
}
