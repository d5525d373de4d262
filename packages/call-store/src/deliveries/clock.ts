import type { Model } from 'mongoose';
import { RetryLaterError } from '@pipeline/contracts';
import { inTime } from '../connection/in-time.ts';

/** The clock of the server, which also sets due times and leases. */
export async function databaseNow(model: Pick<Model<unknown>, 'db'>, signal: AbortSignal): Promise<Date> {
  const { db } = model.db;
  if (db === undefined) throw new RetryLaterError('MongoDB was never reached', { deadline: 'none' });
  const hello = await inTime('read the clock', signal, () => db.command({ hello: 1 }));
  if (!(hello['localTime'] instanceof Date)) throw new TypeError('the server does not tell its time');
  return hello['localTime'];
}
