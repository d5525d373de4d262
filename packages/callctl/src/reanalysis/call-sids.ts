import type { CallLogReader } from '@pipeline/call-store/call-log';

/** Which calls: one, or those whose CallLog was stored in a stretch of time, of one business if it is named. */
export type Selection =
  | { readonly kind: 'one'; readonly callSid: string }
  | { readonly kind: 'stored'; readonly from: Date; readonly to: Date; readonly businessId: string | null };

const PAGE = 200;

/**
 * The calls of a selection, oldest first, page by page. A call that is stored again while this runs moves behind `to` and does not come
 * twice.
 */
export async function* callSidsOf(
  selection: Selection,
  reader: Pick<CallLogReader, 'storedIn'>,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (selection.kind === 'one') {
    yield selection.callSid;
    return;
  }
  const { from, to, businessId } = selection;
  let after: { readonly storedAt: Date; readonly callSid: string } | null = null;
  do {
    const range = { from, to, limit: PAGE, ...(after === null ? {} : { after }) };
    const page = await reader.storedIn(range, signal);
    for (const mark of page.marks) if (businessId === null || mark.businessId === businessId) yield mark.callSid;
    after = page.next;
  } while (after !== null);
}

/** Works what comes, at most `limit` at the same time. The first failure stops the others at their next step and is thrown. */
export async function eachBounded<T>(
  items: AsyncGenerator<T, void, undefined>,
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  const worker = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await items.next();
        if (next.done === true) return;
        await work(next.value, stopped);
      }
    } catch (error) {
      stop.abort(error); // Only the first reason stays.
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  stopped.throwIfAborted();
}
