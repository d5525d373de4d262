import { z } from 'zod';

/** The part of JSON Schema that structured outputs take. */
export type JsonSchema = {
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: unknown;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly $ref?: string | undefined;
  readonly $defs?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly minimum?: number | undefined;
};

/** Parses a schema that a request carries; keys that do not matter here pass through. */
export const jsonSchemaSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.json()).optional(),
    const: z.json().optional(),
    properties: z.record(z.string(), jsonSchemaSchema).optional(),
    required: z.array(z.string()).optional(),
    items: jsonSchemaSchema.optional(),
    anyOf: z.array(jsonSchemaSchema).optional(),
    $ref: z.string().optional(),
    $defs: z.record(z.string(), jsonSchemaSchema).optional(),
    minimum: z.number().optional(),
  }),
);

/** Deeper than any schema that the API takes: a definition that refers to itself ends here. */
export const MAX_DEPTH = 12;

/** The alternatives of a schema, references followed, each with one type. `null` is one of them where the schema allows it. */
export function branchesOf(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema[] {
  if (depth > MAX_DEPTH) return [];
  if (schema.$ref !== undefined) {
    const target = schema.$ref === '#' ? root : root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    return target === undefined ? [] : branchesOf(target, root, depth + 1);
  }
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((branch) => branchesOf(branch, root, depth + 1));
  return typesOf(schema).map((type) => ({ ...schema, type }));
}

/** The value as one of the branches wants it; undefined when none can say it, and for null and undefined. */
export function coerced(branches: readonly JsonSchema[], value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  const candidates = branches.map((branch) => ({ branch, candidate: coerceTo(branch.type, value) }));
  return candidates.find(({ branch, candidate }) => candidate !== undefined && isAllowed(branch, candidate))?.candidate;
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (typeof schema.type === 'string') return [schema.type];
  if (schema.type !== undefined) return schema.type;
  if (schema.properties !== undefined) return ['object'];
  return [typeof (schema.const ?? schema.enum?.[0] ?? '')];
}

function isAllowed(schema: JsonSchema, value: unknown): boolean {
  if (schema.const !== undefined) return schema.const === value;
  return schema.enum === undefined || schema.enum.includes(value);
}

function coerceTo(type: JsonSchema['type'], value: unknown): unknown {
  switch (type) {
    case 'string':
      return isScalar(value) ? String(value) : undefined;
    case 'integer':
      return Number.isInteger(Number(value)) ? Number(value) : undefined;
    case 'number':
      return Number.isFinite(Number(value)) ? Number(value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'array':
      return Array.isArray(value) ? value : [value];
    case 'object':
      return typeof value === 'object' && !Array.isArray(value) ? value : undefined;
    default:
      return undefined;
  }
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
