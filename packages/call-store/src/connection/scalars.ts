import type { z } from 'zod';

/**
 * A value that is about to become part of a filter. Only what the schema accepts gets there, so an object with operators such as
 * `{"$ne": null}` never does. Throws a TypeError with the name of the argument and never its value.
 */
export function checked<S extends z.ZodType<string | number>>(schema: S, value: unknown, name: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TypeError(`${name} does not have the expected form`);
  return parsed.data;
}
