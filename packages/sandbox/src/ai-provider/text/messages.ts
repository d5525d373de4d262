import { z } from 'zod';

const partSchema = z.looseObject({ type: z.string(), text: z.string().optional() });

/** One message of a conversation, as both text APIs have it. */
export const messageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(partSchema)]),
});
export type Message = z.infer<typeof messageSchema>;

/** What the messages tell the model to do, and what its user says. */
export function splitMessages(messages: readonly Message[]): {
  readonly instructions: string;
  readonly prompt: string;
} {
  const ofUser = messages.filter((message) => message.role === 'user');
  const others = messages.filter((message) => message.role !== 'user');
  return { instructions: others.map(textOf).join('\n'), prompt: ofUser.map(textOf).join('\n') };
}

function textOf({ content }: Message): string {
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('\n');
}
