import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError, badRequest } from './api-error.ts';
import { isAuthorized } from './authorize.ts';

/** How one server that calls itself compatible differs from OpenAI. */
export type Dialect = {
  /** The header that carries the key. */
  readonly key: 'bearer' | 'api-key';
  /** Whether it has `/responses`. */
  readonly responses: boolean;
  /** What of an answer's form it enforces. With `none` a model answers with JSON in a fence and some words around it. */
  readonly forms: 'schema' | 'object' | 'none';
  /** Whether answers say what they used. */
  readonly usage: boolean;
  /** Hints that a transcription may carry; any other field of that kind is refused. */
  readonly hints: 'languages' | 'language' | 'none';
  /** The name under which it takes the limit of an answer's tokens. */
  readonly limit: 'max_completion_tokens' | 'max_tokens';
};

const OPENAI: Dialect = {
  key: 'bearer',
  responses: true,
  forms: 'schema',
  usage: true,
  hints: 'languages',
  limit: 'max_completion_tokens',
};

/** Servers of which one stands for many. What a deployment really does depends on its version and options. */
export const DIALECTS = {
  openai: OPENAI,
  azure: { ...OPENAI, key: 'api-key' },
  vllm: { ...OPENAI, responses: false, hints: 'language' },
  ollama: { ...OPENAI, responses: false, forms: 'object', usage: false, hints: 'none', limit: 'max_tokens' },
  plain: { ...OPENAI, responses: false, forms: 'none', usage: false, hints: 'none', limit: 'max_tokens' },
} as const satisfies Record<string, Dialect>;
export type DialectName = keyof typeof DIALECTS;

/** What an operator configures of a text model for a server of each kind. */
export const DIALECT_SETUPS = {
  openai: {},
  azure: { keyHeader: 'api-key' },
  vllm: { api: 'chat' },
  ollama: { api: 'chat', form: 'object' },
  plain: { api: 'chat', form: 'prompt' },
} as const satisfies Record<DialectName, object>;

/** All kinds of servers that the sandbox can be. */
export const DIALECT_NAMES = Object.keys(DIALECTS) as readonly DialectName[]; // Object.keys loses the literal type

/** Makes a server speak a dialect: its key, its routes, and what it leaves out of its answers. */
export function addDialect(app: FastifyInstance, dialect: Dialect, apiKey: string): void {
  app.addHook('onRequest', async (request) => {
    if (!isAuthorized(keyOf(request, dialect), apiKey)) {
      throw new ApiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
    }
    if (!dialect.responses && request.url.startsWith('/v1/responses')) throw new ApiError(404, 'Not Found');
  });
  app.addHook('preHandler', async (request) => {
    if (request.url.startsWith('/v1/chat/')) checkChat(request.body, dialect);
  });
  app.addHook('preSerialization', async (_request, _reply, answer) => {
    if (dialect.usage || answer === null || typeof answer !== 'object') return answer;
    return Object.fromEntries(Object.entries(answer).filter(([key]) => key !== 'usage'));
  });
}

/** Throws the 400 for a hint that this dialect does not take. */
export function checkHints(form: FormData, { hints }: Dialect): void {
  const refused = {
    languages: [],
    language: ['languages[]', 'keywords[]'],
    none: ['languages[]', 'keywords[]', 'language'],
  }[hints].find((name) => form.has(name));
  if (refused !== undefined) throw badRequest(`Unknown parameter: '${refused}'.`, refused.replace('[]', ''));
}

function keyOf(request: FastifyRequest, { key }: Dialect): string | undefined {
  if (key === 'bearer') return request.headers.authorization;
  const own = request.headers['api-key'];
  return typeof own === 'string' && request.headers.authorization === undefined ? `Bearer ${own}` : undefined;
}

function checkChat(body: unknown, { forms, limit }: Dialect): void {
  if (body === null || typeof body !== 'object') return;
  const other = limit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  if (limit === 'max_tokens' && other in body) throw badRequest(`Unknown parameter: '${other}'.`, other);
  const format = 'response_format' in body ? (body.response_format as { type?: unknown } | null) : null; // looked at, not believed
  const taken = { schema: ['text', 'json_object', 'json_schema'], object: ['text', 'json_object'], none: [] }[forms];
  if (format !== null && !taken.some((type) => type === format.type)) {
    throw badRequest(`response_format '${String(format.type)}' is not supported.`, 'response_format');
  }
}
