import { MAX_DEPTH, branchesOf, coerced, type JsonSchema } from './json-schema.ts';
import type { Finding, Knowledge } from './text-model.ts';

/**
 * An answer of the shape that the schema asks for, out of what the model knows. It goes by the names that such schemas have: a
 * property `summary` is the summary; an object with a property `value` is the answer about the field that it is named after (or
 * that its `key` names), with `status`, `quote` and the like beside it; any other property is the field of its name. What
 * nobody knows is null where the schema lets it be.
 */
export function fillSchema(schema: JsonSchema, knowledge: Knowledge): unknown {
  return fill(schema, undefined, { root: schema, knowledge, depth: 0 });
}

type Properties = Readonly<Record<string, JsonSchema>>;
type Context = { readonly root: JsonSchema; readonly knowledge: Knowledge; readonly depth: number };

/** Names under which a schema says which field an answer is about. */
const KEY_NAMES = ['key', 'field', 'name'];

function fill(schema: JsonSchema, name: string | undefined, context: Context): unknown {
  if (context.depth > MAX_DEPTH) return null;
  const inner = { ...context, depth: context.depth + 1 };
  const branches = branchesOf(schema, context.root);
  const properties = branches.find((branch) => branch.properties !== undefined)?.properties;
  if (properties !== undefined) return fillObject(properties, name, inner);
  const known = name === undefined ? undefined : context.knowledge.find(name);
  const items = branches.find((branch) => branch.type === 'array')?.items;
  if (items !== undefined && known === undefined) return fillList(items, inner);
  return typed(schema, name === 'summary' ? context.knowledge.summary : known?.value, inner);
}

function fillObject(properties: Properties, name: string | undefined, context: Context): object {
  if (properties['value'] !== undefined) return fillAnswer(properties, fixedKey(properties) ?? name ?? '', context);
  return mapped(properties, (schema, property) => fill(schema, property, context));
}

/** The answer about one field. What the schema of its value cannot say counts as not mentioned. */
function fillAnswer(properties: Properties, key: string, context: Context): object {
  const known = context.knowledge.find(key);
  const value = coerced(branchesOf(properties['value'] ?? {}, context.root), known?.value);
  const finding = known === undefined || value === undefined ? undefined : { value, quote: known.quote };
  return mapped(properties, (schema, property) => answerPart(schema, property, key, finding, context));
}

function answerPart(
  schema: JsonSchema,
  property: string,
  key: string,
  finding: Finding | undefined,
  context: Context,
): unknown {
  if (property === 'value') return typed(schema, finding?.value, context);
  if (KEY_NAMES.includes(property)) return typed(schema, key, context);
  if (property === 'status') return typed(schema, finding ? 'found' : 'not_mentioned', context);
  if (property === 'source') return typed(schema, finding ? 'summary' : undefined, context);
  if (property === 'confidence') return typed(schema, finding ? 0.9 : 0, context);
  if (!/quote|evidence/.test(property)) return empty(schema, context);
  const nested = branchesOf(schema, context.root).find((branch) => branch.properties !== undefined)?.properties;
  if (nested === undefined || finding === undefined) return typed(schema, finding?.quote, context);
  return mapped(nested, (part, name) => answerPart(part, name, key, finding, context));
}

/** A list of answers: one for each key that the schema names, or for each field that is known. Any other list is empty. */
function fillList(items: JsonSchema, context: Context): unknown[] {
  return branchesOf(items, context.root).flatMap(({ properties = {} }) => {
    const keyName = KEY_NAMES.find((candidate) => properties[candidate] !== undefined);
    if (properties['value'] === undefined || keyName === undefined) return [];
    const fixed = fixedKey(properties);
    const keys = fixed === undefined ? (properties[keyName]?.enum ?? context.knowledge.keys) : [fixed];
    return keys.map((key) => fillAnswer(properties, String(key), context));
  });
}

function fixedKey(properties: Properties): string | undefined {
  return KEY_NAMES.map((name) => properties[name]?.const).find((value) => typeof value === 'string');
}

function typed(schema: JsonSchema, value: unknown, context: Context): unknown {
  return coerced(branchesOf(schema, context.root), value) ?? empty(schema, context);
}

/** What a schema takes when there is nothing to say. */
function empty(schema: JsonSchema, context: Context): unknown {
  const branches = branchesOf(schema, context.root);
  const [branch] = branches;
  if (branch === undefined || context.depth > MAX_DEPTH) return null;
  if (branches.some((candidate) => candidate.type === 'null' || candidate.enum?.includes(null))) return null;
  if (branch.const !== undefined) return branch.const;
  if (branch.enum !== undefined) return branch.enum[0];
  switch (branch.type) {
    case 'object':
      return mapped(branch.properties ?? {}, (inner) => empty(inner, { ...context, depth: context.depth + 1 }));
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return branch.minimum ?? 0;
    default:
      return '';
  }
}

function mapped(properties: Properties, value: (schema: JsonSchema, name: string) => unknown): object {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, value(schema, name)]));
}
