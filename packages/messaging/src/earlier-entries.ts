import { BrokerError } from './broker-error.ts';
import { entrySubject, keyOfEntry } from './claim-store.ts';
import { REQUEST_TIMEOUT_MS, type Connection } from './connection.ts';
import { CLAIM_STREAM } from './topology.ts';

/**
 * The subjects of the entries of calls whose chunks do not tell their keys: those of a release before chunks did, for as long as such
 * objects live, some 38 days after it. The key is encoded into one token of the entry's subject, so all entries are listed and decoded,
 * page by page, and only those of these calls are kept. Throws a BrokerError when the broker does not list them.
 */
export async function entriesOfCalls(connection: Connection, callSids: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = [];
  for (let [offset, total] = [0, callSids.size]; offset < total;) {
    const page = await pageOf(connection, offset);
    let count = 0;
    for (const [, subject = ''] of page.matchAll(ENTRY)) {
      count += 1;
      if (callSids.has(keyOfEntry(subject).split('/')[1] ?? '')) found.push(subject);
    }
    total = count === 0 ? 0 : Number(TOTAL.exec(page)?.[1] ?? 0);
    offset += count;
  }
  return found;
}

/** An entry and its count, as the server writes them. */
const ENTRY = /"(\$O\.[A-Z_]+\.M\.[\w=-]+)":\d/g;
/** How many subjects there are on all pages. */
const TOTAL = /"total":(\d+)/;

/** Up to 100,000 subjects, as text: as an object, and with all pages in one, they took more memory than a sweep has. */
async function pageOf({ nc }: Connection, offset: number): Promise<string> {
  const request = JSON.stringify({ subjects_filter: entrySubject('').concat('>'), offset });
  const answer = await nc.request(`$JS.API.STREAM.INFO.${CLAIM_STREAM}`, request, { timeout: REQUEST_TIMEOUT_MS });
  const text = Buffer.from(answer.data.buffer, answer.data.byteOffset, answer.data.byteLength).toString('latin1');
  if (text.includes('"error":{')) throw new BrokerError(`${CLAIM_STREAM} does not list its subjects`);
  return text;
}
