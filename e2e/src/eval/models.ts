import type { TextModelOptions } from '@pipeline/ai-client';
import * as extractor from '@pipeline/extractor/config';
import { parseConfig } from '@pipeline/runtime';
import * as summarizer from '@pipeline/summarizer/config';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;
export type Models = { readonly summary: TextModelOptions; readonly extraction: TextModelOptions };

/**
 * The models of the environment, by the variables of the two services; `EVAL_...` stands for both where a service has none of its own.
 * Undefined when nobody gave a key: then the sandbox is asked. Throws ConfigError with every problem by name.
 */
export function modelsOf(environment: Environment): Models | undefined {
  const keys = ['EVAL_API_KEY', 'SUMMARY_API_KEY', 'EXTRACTION_API_KEY'];
  if (keys.every((key) => (environment[key] ?? '') === '')) return undefined;
  const summaryVariables = own(summarizer.configSchema.shape, 'SUMMARY_');
  const extractionVariables = own(extractor.configSchema.shape, 'EXTRACTION_');
  const config = parseConfig(z.object({ ...summaryVariables, ...extractionVariables }), {
    ...shared(environment, 'SUMMARY_', Object.keys(summaryVariables)),
    ...shared(environment, 'EXTRACTION_', Object.keys(extractionVariables)),
  });
  // `modelOf` reads the variables of its own model alone, and those have just been parsed.
  const parsed = config as unknown as Parameters<typeof summarizer.modelOf>[0] &
    Parameters<typeof extractor.modelOf>[0];
  return { summary: summarizer.modelOf(parsed), extraction: extractor.modelOf(parsed) };
}

function own(shape: Readonly<Record<string, z.ZodType>>, prefix: string): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => name.startsWith(prefix)));
}

function shared(environment: Environment, prefix: string, names: readonly string[]): Environment {
  return Object.fromEntries(
    names.map((name) => [name, environment[name] ?? environment[name.replace(prefix, 'EVAL_')]]),
  );
}
