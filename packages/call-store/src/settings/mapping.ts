import { SECRET_SETTINGS, visibleSettingsSchema, type BusinessSettings } from '@pipeline/contracts';
import type { z } from 'zod';
import { StoreError } from '../connection/errors.ts';

/** The settings out of their document without anything secret, whether it is sealed there or, from an older version, plain. */
export function settingsFrom(document: unknown): BusinessSettings {
  const visible = { ...(document as object) }; // a lean document is a plain object
  for (const key of SECRET_SETTINGS) Reflect.deleteProperty(visible, key);
  return parseDocument(visible, visibleSettingsSchema);
}

/**
 * A document by its schema. Keys that this version does not know are left out, so that a newer `callctl` cannot stop older
 * services; anything else that does not fit throws a StoreError which names the place and never the value.
 */
export function parseDocument<S extends z.ZodType>(document: unknown, schema: S): z.output<S> {
  const {
    _id,
    createdAt: _createdAt,
    updatedAt: _updatedAt,
    former_numbers: _formerNumbers,
    ...rest
  } = structuredClone(document) as Record<string, unknown>; // a lean document is a plain object
  const candidate = { ...rest, id: _id };
  const first = schema.safeParse(candidate);
  if (first.success) return first.data;
  for (const issue of first.error.issues) removeUnknown(candidate, issue);
  const second = schema.safeParse(candidate);
  if (second.success) return second.data;
  const places = second.error.issues.map((issue) => issue.path.map(String).join('.'));
  throw new StoreError('DOCUMENT_INVALID', `stored settings do not fit at ${places.join(', ').slice(0, 300)}`);
}

function removeUnknown(root: object, issue: z.core.$ZodIssue): void {
  if (issue.code !== 'unrecognized_keys') return;
  let place: unknown = root;
  for (const step of issue.path) place = isObject(place) ? Reflect.get(place, step) : undefined;
  if (isObject(place)) for (const key of issue.keys) Reflect.deleteProperty(place, key);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
