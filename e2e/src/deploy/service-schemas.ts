import type { z } from 'zod';

/** The services that are deployed, in the order in which a call passes them. */
export const DEPLOYED = ['media-gateway', 'transcriber', 'summarizer', 'extractor', 'webhook-dispatcher'] as const;

/** What runs and ends: once for a version, or on a schedule. */
export const JOBS = ['provision', 'reconciler', 'trim', 'sweep'] as const;

/** What an operator works in. It has neither a port nor probes. */
export const OPERATED = ['callctl'] as const;

/** Switches of tests and of development, which production refuses: no manifest sets them. */
export const NEVER_DEPLOYED: ReadonlySet<string> = new Set(['CRASH_AT', 'WEBHOOK_DEV_ORIGINS']);

/** The schema of a service's environment, out of its own `config.ts`: nothing may import a service, so it is loaded as data. */
export async function schemaOf(service: string): Promise<z.ZodObject> {
  const commands = COMMANDS[service];
  const folder = commands === undefined ? `services/${service}` : 'packages/callctl';
  const url = new URL(`../../../${folder}/src/config.ts`, import.meta.url);
  const loaded: unknown = await import(url.href);
  const schemas = loaded as Readonly<Record<string, z.ZodObject | undefined>>; // every config.ts exports schemas
  const [first, ...more] = (commands ?? ['configSchema']).map((name) => {
    const found = schemas[name];
    if (found === undefined) throw new Error(`${folder}/src/config.ts exports no ${name}`);
    return found;
  });
  if (first === undefined) throw new Error(`${service} is started as nothing`);
  return more.reduce((whole, schema) => whole.extend(schema.shape), first);
}

/** What callctl is started as, and its schemas for that; an operator may use every verb. */
const COMMANDS: Readonly<Record<string, readonly string[] | undefined>> = {
  provision: ['bothSchema'],
  trim: ['brokerSchema'],
  sweep: ['bothSchema'],
  callctl: ['analysisSchema', 'erasingSchema', 'sealingSchema', 'egressSchema'],
};
