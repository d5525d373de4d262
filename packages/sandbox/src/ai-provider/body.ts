import type { z } from 'zod';
import { badRequest, type ApiError } from './api-error.ts';

/**
 * A request's body, or a part of it that stands at `place`, as the schema has it. Throws the 400 that names the first wrong
 * parameter: missing, unknown or not valid.
 */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown, place: readonly string[] = []): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = [...place, ...(issue?.path.map(String) ?? [])];
  if (issue?.code === 'unrecognized_keys') throw unknownParameter([...path, ...issue.keys.slice(0, 1)].join('.'));
  const param = path.join('.');
  if (valueAt(body, issue?.path ?? []) === undefined) {
    throw badRequest(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
  }
  throw badRequest(`Invalid value for '${param}': ${issue?.message ?? 'not valid'}.`, param, 'invalid_value');
}

/** Throws the 400 that OpenAI answers for a parameter that the route or the model does not have. False and null pass. */
export function refuseKeys(body: Readonly<Record<string, unknown>>, keys: readonly string[], advice = ''): void {
  const refused = keys.find((key) => body[key] !== undefined && body[key] !== null && body[key] !== false);
  if (refused !== undefined) throw unknownParameter(refused, advice);
}

function unknownParameter(param: string, advice = ''): ApiError {
  return badRequest(`Unknown parameter: '${param}'. ${advice}`.trim(), param, 'unknown_parameter');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[String(key)] : undefined), value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
