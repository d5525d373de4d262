import { z } from 'zod';
import { BrokerError } from './broker-error.ts';
import { entrySubject, keyOfEntry } from './claim-store.ts';
import { REQUEST_TIMEOUT_MS, type Connection } from './connection.ts';
import { CLAIM_STREAM } from './topology.ts';

/** One page of subjects as the server tells them: up to 100,000. */
const pageSchema = z.object({
  total: z.number().optional(),
  state: z.object({ subjects: z.record(z.string(), z.number()).nullish() }),
});

/**
 * The subjects of the entries of calls whose chunks do not tell their keys: those of a release before chunks did, for as long as such
 * objects live, some 38 days after it. The key is encoded into one token of the entry's subject, so all entries are listed and decoded, page by page, and only
 * those of these calls are kept: tens of megabytes a page.
 */
export async function entriesOfCalls(connection: Connection, callSids: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = [];
  for (let [offset, total] = [0, callSids.size]; offset < total;) {
    const page = await pageOf(connection, offset);
    found.push(...page.subjects.filter((subject) => callSids.has(keyOfEntry(subject).split('/')[1] ?? '')));
    total = page.subjects.length === 0 ? 0 : page.total;
    offset += page.subjects.length;
  }
  return found;
}

/** Not by the client's own call, which puts all pages together. */
async function pageOf(
  { nc }: Connection,
  offset: number,
): Promise<{ readonly subjects: string[]; readonly total: number }> {
  const request = JSON.stringify({ subjects_filter: entrySubject('').concat('>'), offset });
  const answer = await nc.request(`$JS.API.STREAM.INFO.${CLAIM_STREAM}`, request, { timeout: REQUEST_TIMEOUT_MS });
  const parsed = pageSchema.safeParse(answer.json());
  if (!parsed.success) throw new BrokerError(`${CLAIM_STREAM} did not list its subjects`);
  const subjects = Object.keys(parsed.data.state.subjects ?? {});
  return { subjects, total: parsed.data.total ?? subjects.length };
}
