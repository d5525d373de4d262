import { newId } from './ids.ts';
import type { Item, Items } from './items.ts';
import { createFunctionCall, createMessage, type OutputItem } from './output-items.ts';

/** An event of the server before it gets its `event_id`. */
export type ServerEvent = { readonly type: string; readonly [key: string]: unknown };

/** What a response consists of. `speech` null: nothing is said. */
export type ResponsePlan = {
  readonly speech: string | null;
  /** The function that the agent calls after it has spoken. */
  readonly tool: string | null;
  readonly metadata: unknown;
  readonly audio: unknown;
  readonly conversationId: string;
};

/** How a response ends before its time, or that it fails. */
export type Cut =
  | { readonly status: 'cancelled'; readonly reason: 'turn_detected' | 'client_cancelled' }
  | { readonly status: 'failed'; readonly code: string };

/** One response in the making. */
export type Response = {
  readonly id: string;
  /** The events of the next step; null when the response is done. The first step creates the response. */
  next(): readonly ServerEvent[] | null;
  /** Ends it now; the events that say so. */
  cut(cut: Cut): readonly ServerEvent[];
};

/**
 * Makes the events of a response in GA form, step by step. The items that it adds are entered in `items`, with their audio as far
 * as it was made.
 */
export function createResponse(plan: ResponsePlan, items: Items): Response {
  const id = newId('resp');
  const output: Item[] = [];
  let open: OutputItem | null = null;
  let isCreated = false;

  const close = (status: 'completed' | 'incomplete'): readonly ServerEvent[] => {
    const closed = open?.close(status);
    open = null;
    if (closed !== undefined) output.push(closed.item);
    return closed?.events ?? [];
  };
  const steps = (function* (): Generator<readonly ServerEvent[]> {
    isCreated = true;
    yield [{ type: 'response.created', response: shape(id, plan, 'in_progress') }, RATE_LIMITS];
    for (const create of plannedItems(plan)) {
      open = create(id, output.length, items);
      yield* open.steps();
      yield close('completed');
    }
    yield [{ type: 'response.done', response: { ...shape(id, plan, 'completed'), output } }];
  })();

  return {
    id,
    next: () => {
      const step = steps.next();
      return step.done === true ? null : step.value;
    },
    cut: (cut) => {
      const beginning = isCreated ? [] : (steps.next().value ?? []);
      steps.return(undefined);
      const closing = close('incomplete');
      const response = { ...shape(id, plan, cut.status), status_details: detailsOf(cut), output };
      return [...beginning, ...closing, { type: 'response.done', response }];
    },
  };
}

type CreateItem = (responseId: string, index: number, items: Items) => OutputItem;

function plannedItems({ speech, tool }: ResponsePlan): CreateItem[] {
  const planned: CreateItem[] = [];
  if (speech !== null) planned.push((responseId, index, items) => createMessage(speech, responseId, index, items));
  if (tool !== null) planned.push((responseId, index, items) => createFunctionCall(tool, responseId, index, items));
  return planned;
}

const RATE_LIMITS: ServerEvent = {
  type: 'rate_limits.updated',
  rate_limits: [{ name: 'tokens', limit: 40_000, remaining: 39_000, reset_seconds: 1.5 }],
};

function shape(id: string, plan: ResponsePlan, status: string): object {
  return {
    object: 'realtime.response',
    id,
    status,
    status_details: null,
    output: [],
    conversation_id: plan.conversationId,
    output_modalities: ['audio'],
    max_output_tokens: 'inf',
    audio: { output: plan.audio },
    usage: status === 'in_progress' ? null : usageOf(plan.speech ?? ''),
    metadata: plan.metadata ?? null,
  };
}

function detailsOf(cut: Cut): object {
  if (cut.status === 'cancelled') return { type: 'cancelled', reason: cut.reason };
  return { type: 'failed', error: { type: 'server_error', code: cut.code } };
}

/** Tokens of a response, in the right order of magnitude. */
function usageOf(speech: string): object {
  const text = Math.ceil(speech.length / 4);
  const audio = speech.length;
  return {
    total_tokens: 100 + text + audio,
    input_tokens: 100,
    output_tokens: text + audio,
    input_token_details: {
      text_tokens: 60,
      audio_tokens: 40,
      cached_tokens: 0,
      cached_tokens_details: { text_tokens: 0, audio_tokens: 0 },
    },
    output_token_details: { text_tokens: text, audio_tokens: audio },
  };
}
