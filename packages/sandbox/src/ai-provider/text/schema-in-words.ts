import { jsonSchemaSchema, type JsonSchema } from './json-schema.ts';

/** The JSON Schema that the instructions carry on a line of its own, as models without structured output are told one. */
export function schemaInWords(instructions: string): JsonSchema | undefined {
  for (const line of instructions.split('\n')) {
    if (!line.startsWith('{"')) continue;
    try {
      const schema = jsonSchemaSchema.safeParse(JSON.parse(line));
      if (schema.success && schema.data.type === 'object') return schema.data;
    } catch {
      // A line of another kind.
    }
  }
  return undefined;
}

/** An answer as a model gives it that nothing holds to a form. */
export function chatty(json: string): string {
  return `Sure, here is the JSON that you asked for:\n\n\`\`\`json\n${json}\n\`\`\`\nLet me know if you need anything else!`;
}
