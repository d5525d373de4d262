/** How the list of calls behaves. Everything absent: it answers, whole and right. */
export type CallListBehaviour = {
  /** The next so many requests for a page are refused, with the seconds of `Retry-After`, if any. */
  readonly refuse?: { readonly status: number; readonly times: number; readonly retryAfter?: number };
  /** So many rows of a page come again on the next one. */
  readonly repeats?: number;
};

/** The behaviour at present. */
export type CallList = {
  set(behaviour: CallListBehaviour): void;
  repeats(): number;
  /** A refusal, as long as one is left; each call takes one. */
  takeRefusal(): CallListBehaviour['refuse'];
};

/** A list that behaves until it is told otherwise. */
export function createCallList(): CallList {
  let behaviour: CallListBehaviour = {};
  let left = 0;
  return {
    set: (next) => {
      behaviour = next;
      left = next.refuse?.times ?? 0;
    },
    repeats: () => behaviour.repeats ?? 0,
    takeRefusal: () => {
      if (left === 0) return undefined;
      left -= 1;
      return behaviour.refuse;
    },
  };
}
