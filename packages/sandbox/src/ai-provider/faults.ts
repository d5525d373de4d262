export type AiRoute = 'transcriptions' | 'responses' | 'chat' | 'models' | 'realtime';

/**
 * What goes wrong. On the HTTP routes:
 * - `status`: that answer, with OpenAI's error body; `retryAfter` in seconds;
 * - `delay`: the right answer, `ms` later; `hang`: no answer at all; `timeout`: headers, then nothing more;
 * - `disconnect`: the connection is cut before the answer;
 * - `malformed`, `invalid_schema`, `truncated`, `refusal`, `content_filter`: 200 with an output that is no JSON, JSON of another
 *   shape, cut by length, a refusal, or held back. A transcription takes the first three;
 * - `invented`: a transcription of words that nobody said.
 *
 * On realtime: `status` refuses the upgrade and `hang` opens a session that never says anything (both when the session is
 * opened). The others strike when the agent is about to speak: `disconnect` drops the socket (1006), `session_expired` reports
 * that and closes, `mute` begins no response at all, `silence` gives a response without speech, `response_failed` a failed one, `malformed` a frame that is no
 * JSON before the right ones, `delay` waits. `deaf` strikes when the caller begins to speak: from then on the session says nothing any
 * more, whatever it is sent, and its socket lives on. `transcription_failed` strikes at the transcription of a caller's turn, and
 * `transcription_late` gives the right one `ms` later than usual.
 */
export type AiFault = {
  readonly route: AiRoute;
  /** Both must fit: `textIncludes` looks at the prompt, the heard speech, or what the agent answers to. */
  readonly match?: { readonly textIncludes?: string; readonly model?: string };
  /** Requests that it strikes; all, until it is removed, unless given. */
  readonly times?: number;
} & (
  | { readonly kind: 'status'; readonly status: number; readonly code?: string; readonly retryAfter?: number }
  | { readonly kind: 'delay' | 'transcription_late'; readonly ms: number }
  | { readonly kind: 'hang' | 'timeout' | 'disconnect' }
  | { readonly kind: 'invented'; readonly text: string }
  | { readonly kind: 'malformed' | 'invalid_schema' | 'truncated' | 'refusal' | 'content_filter' }
  | { readonly kind: 'session_expired' | 'mute' | 'deaf' | 'silence' | 'response_failed' | 'transcription_failed' }
);
export type AiFaultKind = AiFault['kind'];

export type Faults = {
  /** Arms a fault; the returned function removes it. Of several that fit a request, the one armed first strikes. */
  set(fault: AiFault): () => void;
  /** The fault that strikes this request, if any, counted. `kinds` are those that the caller can show at this point. */
  take(route: AiRoute, about: FaultSubject, kinds?: readonly AiFaultKind[]): AiFault | undefined;
};

export type FaultSubject = { readonly model: string; readonly text: string };

/** The faults that are armed at one provider. */
export function createFaults(): Faults {
  const armed = new Map<symbol, { readonly fault: AiFault; left: number }>();
  return {
    set: (fault) => {
      const key = Symbol(fault.kind);
      armed.set(key, { fault, left: fault.times ?? Number.POSITIVE_INFINITY });
      return () => void armed.delete(key);
    },
    take: (route, about, kinds) => {
      for (const [key, entry] of armed) {
        if (entry.fault.route !== route || !fits(entry.fault, about)) continue;
        if (kinds !== undefined && !kinds.includes(entry.fault.kind)) continue;
        entry.left -= 1;
        if (entry.left <= 0) armed.delete(key);
        return entry.fault;
      }
      return undefined;
    },
  };
}

function fits({ match }: AiFault, about: FaultSubject): boolean {
  if (match?.model !== undefined && match.model !== about.model) return false;
  return match?.textIncludes === undefined || about.text.includes(match.textIncludes);
}
