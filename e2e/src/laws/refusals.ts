import { IDENTITIES, STAGES, STREAMS, subjectOf, type Identity } from '@pipeline/contracts';
import { MongoClient } from 'mongodb';
import { connect, NatsError } from 'nats';
import type { Surroundings } from '../stack/environment.ts';
import type { Refusal } from './evidence.ts';

const NOT_AUTHORIZED = 13;
const TIMEOUT_MS = 2_000;

/** What identities try with their own credentials: whether the servers refuse what the laws forbid. */
export async function readRefusals(surroundings: Surroundings, callSid: string): Promise<Refusal[]> {
  const database = await Promise.all(IDENTITIES.map((identity) => triesToWriteCalls(surroundings, identity)));
  return [
    ...database,
    ...(await gatewayTriesToReadLaterStages(surroundings, callSid)),
    await gatewayTriesToReadCalls(surroundings),
  ];
}

async function triesToWriteCalls(surroundings: Surroundings, identity: Identity): Promise<Refusal> {
  const refused = await asMongoUser(surroundings, identity, async (client) => {
    const calls = client.db(`${surroundings.databasePrefix}calls`).collection<{ _id: string }>('call_logs');
    await calls.updateOne({ _id: 'law-4' }, { $set: { tried: identity } });
  });
  return { identity, what: 'write calls', refused };
}

async function gatewayTriesToReadCalls(surroundings: Surroundings): Promise<Refusal> {
  const identity = 'media-gateway';
  const refused = await asMongoUser(surroundings, identity, async (client) => {
    await client.db(`${surroundings.databasePrefix}calls`).collection('call_logs').findOne({});
  });
  return { identity, what: 'read calls', refused };
}

/** True when the server said that the user is not authorized; any other failure is thrown. */
async function asMongoUser(
  { mongoUrl, credentials }: Surroundings,
  identity: Identity,
  attempt: (client: MongoClient) => Promise<void>,
): Promise<boolean> {
  const { user, password } = credentials[identity];
  const client = new MongoClient(mongoUrl, {
    auth: { username: user, password },
    authSource: 'admin',
    serverSelectionTimeoutMS: TIMEOUT_MS,
  });
  try {
    await client.connect();
    await attempt(client);
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === NOT_AUTHORIZED) return true;
    throw error;
  } finally {
    await client.close();
  }
}

/** The gateway's user asks for the results of later stages: their last messages, and work from their consumers. */
async function gatewayTriesToReadLaterStages(
  { natsUrl, credentials }: Surroundings,
  callSid: string,
): Promise<Refusal[]> {
  const identity = 'media-gateway';
  const { user, password } = credentials[identity];
  const connection = await connect({ servers: natsUrl, user, pass: password, inboxPrefix: `_INBOX.${identity}` });
  try {
    const subjects = Object.entries(STAGES).flatMap(([stage, { consumes, produces }]) => [
      `$JS.API.CONSUMER.MSG.NEXT.${STREAMS[consumes]}.${stage}`,
      ...(produces === null ? [] : [`$JS.API.DIRECT.GET.${STREAMS[produces]}.${subjectOf(produces, 'any', callSid)}`]),
    ]);
    return await Promise.all(
      subjects.map(async (subject): Promise<Refusal> => {
        const failure = await connection.request(subject, '', { timeout: TIMEOUT_MS }).then(
          () => null,
          (error: unknown) => error,
        );
        const refused = failure instanceof NatsError && failure.code === 'PERMISSIONS_VIOLATION';
        return { identity, what: `ask ${subject.replace(callSid, '<call>')}`, refused };
      }),
    );
  } finally {
    await connection.close();
  }
}
