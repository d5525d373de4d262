import type { z } from 'zod';
import { ApiError, badRequest } from '../api-error.ts';
import { parseBody } from '../body.ts';
import type { ServerEvent } from './response.ts';

/** What each type of client event does. */
export type Handlers = Readonly<Record<string, (event: unknown) => void>>;

/** A handler for events of this shape; others are answered by the error that names what is wrong. */
export function on<S extends z.ZodType>(schema: S, handle: (event: z.output<S>) => void): (event: unknown) => void {
  return (event) => handle(parseBody(schema, event));
}

/** Takes one frame of a client to the handler of its type. What is wrong with it is answered by an `error` event. */
export function receive(frame: string, handlers: Handlers, send: (event: ServerEvent) => void): void {
  let eventId: unknown = null;
  try {
    const event = parseJson(frame);
    eventId = event['event_id'] ?? null;
    const type = typeof event['type'] === 'string' ? event['type'] : '';
    const handle = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
    if (handle === undefined)
      throw badRequest(`Invalid value: '${type}' is no event of a client.`, 'type', 'invalid_value');
    handle(event);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    send({ type: 'error', error: { ...error.body(), event_id: eventId } });
  }
}

function parseJson(frame: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(frame);
    // Any object has string keys; the schemas look at what they hold.
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Answered below, like any other frame that holds no object.
  }
  throw badRequest('The frame is not a JSON object.', undefined, 'invalid_json');
}
