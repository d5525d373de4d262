import { createCallLogReader, type CallLogReader } from '@pipeline/call-store/call-log';
import { withDeadLetters, type DeadLetters } from '@pipeline/messaging';
import { parseConfig } from '@pipeline/runtime';
import { bothSchema, brokerSchema } from '../config.ts';
import type { Context } from '../verb.ts';
import { withStoreOf } from '../with-store.ts';

/** Runs work on the dead letters, as callctl. It needs NATS alone. */
export function withLetters<T>(context: Context, work: (letters: DeadLetters) => Promise<T>): Promise<T> {
  const config = parseConfig(brokerSchema, context.environment);
  return withDeadLetters({ config, identity: 'callctl', instance: 'callctl', logger: context.logger }, work);
}

/** {@link withLetters} beside what is stored of calls. */
export function withLettersAndCalls<T>(
  context: Context,
  work: (letters: DeadLetters, find: CallLogReader['find']) => Promise<T>,
): Promise<T> {
  const config = parseConfig(bothSchema, context.environment);
  return withStoreOf(config, (store) =>
    withLetters(context, (letters) => work(letters, createCallLogReader(store).find)),
  );
}
