import { badRequest } from '../api-error.ts';
import { MAX_DEPTH, type JsonSchema } from './json-schema.ts';

/**
 * Holds a schema against what strict structured outputs ask for: the root is an object without alternatives, every object names
 * all its properties as required and closes itself. Throws the 400 that names the place; `param` is where the request has it.
 */
export function checkStrictSchema(schema: JsonSchema, name: string, param: string): void {
  const refuse = (place: readonly string[], problem: string): never => {
    const context = place.map((part) => `'${part}'`).join(', ');
    const message = `Invalid schema for response_format '${name}': In context=(${context}), ${problem}.`;
    throw badRequest(message, param, 'invalid_json_schema');
  };
  if (schema.anyOf !== undefined || schema.type !== 'object')
    refuse([], "schema must have type 'object' and not have 'anyOf' at the top level");
  walk(schema, [], refuse);
}

type Refuse = (place: readonly string[], problem: string) => never;

function walk(schema: JsonSchema, place: readonly string[], refuse: Refuse): void {
  // A place has two parts a level; the API takes ten levels of objects.
  if (place.length > 2 * MAX_DEPTH) refuse(place, 'the schema is nested too deeply');
  if (schema.properties !== undefined || schema.type === 'object') {
    const names = Object.keys(schema.properties ?? {});
    if (schema.additionalProperties !== false)
      refuse(place, "'additionalProperties' is required to be supplied and to be false");
    const missing = names.find((name) => !schema.required?.includes(name));
    if (missing !== undefined) {
      refuse(
        place,
        `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'`,
      );
    }
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    walk(inner, [...place, 'properties', name], refuse);
  for (const [name, inner] of Object.entries(schema.$defs ?? {})) walk(inner, [...place, '$defs', name], refuse);
  for (const [index, inner] of (schema.anyOf ?? []).entries()) walk(inner, [...place, 'anyOf', String(index)], refuse);
  if (schema.items !== undefined) walk(schema.items, [...place, 'items'], refuse);
}
