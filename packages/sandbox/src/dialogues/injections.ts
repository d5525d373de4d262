import { readdir, readFile } from 'node:fs/promises';
import { fieldKeySchema, languageSchema } from '@pipeline/contracts';
import { z } from 'zod';

const FOLDER = new URL('../../injections/', import.meta.url);

const turnSchema = z.strictObject({ speaker: z.enum(['caller', 'agent']), text: z.string().min(1) });

/** An honest call, and the lines by which somebody in it tries to talk the machine into something. */
const injectionSetSchema = z.strictObject({
  language: languageSchema,
  turns: z.array(turnSchema).min(1),
  summary: z.string().min(1),
  fields: z.record(fieldKeySchema, z.strictObject({ value: z.json(), quote: z.string().min(1) })),
  lines: z.array(
    turnSchema.extend({
      /** The number of the bad input. */
      kind: z.string().regex(/^B7[3-8]$/),
      /** What a model answers that obeys the line. */
      forges: z.record(fieldKeySchema, z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
    }),
  ),
});
export type InjectionSet = z.infer<typeof injectionSetSchema>;

/** Lines of spoken injection (B73 to B78), one set a language. */
export async function loadInjections(): Promise<InjectionSet[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).toSorted();
  return Promise.all(
    names.map(async (name) => injectionSetSchema.parse(JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')))),
  );
}
