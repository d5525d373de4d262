import type { z } from 'zod';

/** The services that are deployed, in the order in which a call passes them. */
export const DEPLOYED = ['media-gateway', 'transcriber', 'summarizer', 'extractor', 'webhook-dispatcher'] as const;

/** Switches of tests and of development, which production refuses: no manifest sets them. */
export const NEVER_DEPLOYED: ReadonlySet<string> = new Set(['CRASH_AT', 'WEBHOOK_DEV_ORIGINS']);

/** The schema of a service's environment, out of its own `config.ts`: nothing may import a service, so it is loaded as data. */
export async function schemaOf(service: string): Promise<z.ZodObject> {
  const folder = service === 'provision' ? 'packages/callctl' : `services/${service}`;
  const url = new URL(`../../../${folder}/src/config.ts`, import.meta.url);
  const loaded: unknown = await import(url.href);
  const schema = loaded as { configSchema?: z.ZodObject; bothSchema?: z.ZodObject }; // every config.ts exports one of them
  const found = service === 'provision' ? schema.bothSchema : schema.configSchema;
  if (found === undefined) throw new Error(`${folder}/src/config.ts exports no schema`);
  return found;
}
