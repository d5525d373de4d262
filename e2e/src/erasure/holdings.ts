import { DATABASES } from '@pipeline/contracts';
import { MongoClient } from 'mongodb';
import { connect, type JetStreamManager } from 'nats';
import type { Surroundings } from '../stack/environment.ts';

/** Where a text was found: a stream or bucket with the subject of the message, or a collection with the id of the document. */
export type Holding = { readonly where: string; readonly of: string; readonly texts: readonly string[] };

/**
 * Everything in the broker and the databases that holds one of these texts: every message of every stream and bucket, every document of
 * every collection, read with the clients themselves and an operator's rights. Nothing is left out by name.
 */
export async function holdingsOf(surroundings: Surroundings, texts: readonly string[]): Promise<Holding[]> {
  return [...(await inStreams(surroundings, texts)), ...(await inDatabases(surroundings, texts))];
}

/** The streams, buckets and collections that the search looks into. */
export async function placesOf(surroundings: Surroundings): Promise<string[]> {
  const streams = await withStreams(surroundings, async (manager) => {
    const names: string[] = [];
    for await (const name of manager.streams.names()) names.push(name);
    return names;
  });
  const collections = await withDatabases(surroundings, async (client) => {
    const found = DATABASES.map((name) =>
      client.db(`${surroundings.databasePrefix}${name}`).listCollections().toArray(),
    );
    return (await Promise.all(found)).flat().map(({ name }) => name);
  });
  return [...streams, ...collections].toSorted();
}

function inStreams(surroundings: Surroundings, texts: readonly string[]): Promise<Holding[]> {
  return withStreams(surroundings, async (manager) => {
    const holdings: Holding[] = [];
    for await (const { config, state } of manager.streams.list()) {
      for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
        // A gap is a message that was removed.
        const stored = await manager.streams.getMessage(config.name, { seq }).catch(() => null);
        if (stored === null) continue;
        const headers = [...stored.header].map(([name, values]) => `${name}: ${values.join()}`).join('\n');
        const whole = `${stored.subject}\n${headers}\n${Buffer.from(stored.data).toString('utf8')}`;
        note(holdings, { where: config.name, of: stored.subject, whole }, texts);
      }
    }
    return holdings;
  });
}

function inDatabases(surroundings: Surroundings, texts: readonly string[]): Promise<Holding[]> {
  return withDatabases(surroundings, async (client) => {
    const holdings: Holding[] = [];
    for (const name of DATABASES) {
      const database = client.db(`${surroundings.databasePrefix}${name}`);
      for (const collection of await database.listCollections().toArray()) {
        const documents = database.collection(collection.name).find({}, { promoteBuffers: true });
        for await (const document of documents) {
          const whole = JSON.stringify(document, (_key, value: unknown) => bytesOf(value) ?? value);
          note(holdings, { where: collection.name, of: String(document._id), whole }, texts);
        }
      }
    }
    return holdings;
  });
}

function note(
  holdings: Holding[],
  { where, of, whole }: { readonly where: string; readonly of: string; readonly whole: string },
  texts: readonly string[],
): void {
  const found = texts.filter((text) => whole.includes(text));
  if (found.length > 0) holdings.push({ where, of, texts: found });
}

/** A frozen body as the text that it is; by now a Buffer has made itself a list of numbers. */
function bytesOf(value: unknown): string | null {
  const isBytes = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBytes && 'data' in value ? Buffer.from(value.data as number[]).toString('utf8') : null; // Buffer's own form
}

async function withStreams<T>(
  { natsUrl, credentials }: Surroundings,
  work: (manager: JetStreamManager) => Promise<T>,
): Promise<T> {
  const { user, password } = credentials.callctl;
  const connection = await connect({ servers: natsUrl, user, pass: password, inboxPrefix: '_INBOX.callctl' });
  try {
    return await work(await connection.jetstreamManager({ checkAPI: false }));
  } finally {
    await connection.close();
  }
}

async function withDatabases<T>(
  { mongoUrl, credentials }: Surroundings,
  work: (client: MongoClient) => Promise<T>,
): Promise<T> {
  const { user, password } = credentials.callctl;
  const auth = { username: user, password };
  const client = new MongoClient(mongoUrl, { auth, authSource: 'admin', serverSelectionTimeoutMS: 5_000 });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.close();
  }
}
