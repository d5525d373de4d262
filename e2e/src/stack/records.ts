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
    close: () => client.close(),
  };
}
