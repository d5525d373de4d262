import { REREADABLE, rereadStream } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { brokerSchema } from './config.ts';
import { UsageError, type Context, type Result } from './verb.ts';

/** `provision --reread`: a stage looks again at all that its stream holds, for what a restored database has lost. It needs NATS alone. */
export async function reread(context: Context): Promise<Result> {
  const consumer = REREADABLE.find((name) => name === context.options['reread']);
  if (consumer === undefined) throw new UsageError(`--reread takes one of ${REREADABLE.join(', ')}`);
  const config = parseConfig(brokerSchema, context.environment);
  const who = { config, identity: 'provision', instance: 'provision', logger: context.logger } as const;
  const messages = await rereadStream(who, consumer);
  const text = `${consumer} looks at ${messages} messages again: what is stored is only acknowledged`;
  return { json: { consumer, messages }, text };
}
