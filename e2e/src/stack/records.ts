import { MongoClient, type Document } from 'mongodb';
import type { Surroundings } from './environment.ts';

/**
 * What is in the database, read with the driver itself and an operator's rights: a check that shares no code with the
 * product's own reader. Documents are as they are stored.
 */
export type Records = {
  callLog(callSid: string): Promise<Document | null>;
  /** Every document of `call_logs`, tombstones included. */
  callLogs(): Promise<Document[]>;
  /** The delivery rows of a call. */
  deliveries(callSid: string): Promise<Document[]>;
  attempts(deliveryId: string): Promise<Document[]>;
  /** The calls that have a delivery row. */
  deliveredCalls(): Promise<ReadonlySet<string>>;
  /** How many deliveries are not at an end. */
  openDeliveries(): Promise<number>;
  /** The `traceparent` of all attempts that were recorded: each has its own. */
  attemptTraces(): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
};

/** Connects as `callctl`, which may read all three databases. */
export async function createRecords(surroundings: Surroundings): Promise<Records> {
  const { mongoUrl, databasePrefix, credentials } = surroundings;
  const { user, password } = credentials.callctl;
  const client = new MongoClient(mongoUrl, {
    auth: { username: user, password },
    authSource: 'admin',
    serverSelectionTimeoutMS: 5_000,
  });
  await client.connect();
  const callLogs = client.db(`${databasePrefix}calls`).collection<Document & { _id: string }>('call_logs');
  const delivery = client.db(`${databasePrefix}delivery`);
  return {
    callLog: (callSid) => callLogs.findOne({ _id: callSid }),
    callLogs: () => callLogs.find().toArray(),
    deliveries: (callSid) => delivery.collection('webhook_deliveries').find({ callSid }).toArray(),
    attempts: (deliveryId) => delivery.collection('webhook_attempts').find({ deliveryId }).toArray(),
    deliveredCalls: async () => new Set(await delivery.collection('webhook_deliveries').distinct('callSid')),
    openDeliveries: () =>
      delivery.collection('webhook_deliveries').countDocuments({ state: { $in: ['pending', 'delivering'] } }),
    attemptTraces: async () =>
      new Set(await delivery.collection('webhook_attempts').distinct('requestHeaders.traceparent')),
    close: () => client.close(),
  };
}
