import type { Dialogue } from '../../dialogues/dialogue.ts';
import { badRequest } from '../api-error.ts';
import type { Faults } from '../faults.ts';
import type { LedgerEntry } from '../ledger.ts';
import { createAgentLines } from './agent-lines.ts';
import { createCallerTurns } from './caller-turns.ts';
import {
  appendSchema,
  bareEventSchema,
  cancelResponseSchema,
  createItemSchema,
  createResponseSchema,
  namedItemSchema,
  sessionUpdateSchema,
  truncateItemSchema,
} from './client-events.ts';
import type { Pace, SessionContext, SessionSocket } from './context.ts';
import { createConversation } from './conversation.ts';
import { newId } from './ids.ts';
import { createItems } from './items.ts';
import { on, receive, type Handlers } from './receive.ts';
import { defaultSettings, updatedSettings } from './settings.ts';
import { createSpeaker } from './speaker.ts';
import { createTimers } from './timers.ts';

export type SessionDeps = {
  readonly model: string;
  readonly dialogues: readonly Dialogue[];
  readonly faults: Faults;
  readonly entry: LedgerEntry;
  readonly pace: Pace;
};

export type Session = {
  /** One frame of the client. */
  receive(frame: string): void;
  /** The socket is gone. */
  end(): void;
};

/** A session of the Realtime API in its GA form. It starts with `session.created`. */
export function openSession(socket: SessionSocket, deps: SessionDeps): Session {
  const context: SessionContext = {
    socket,
    send: (event) => {
      if (!context.isDeaf) socket.send(JSON.stringify({ event_id: newId('event'), ...event }));
    },
    items: createItems(),
    lines: createAgentLines(deps.dialogues),
    timers: createTimers(),
    faults: deps.faults,
    entry: deps.entry,
    pace: deps.pace,
    settings: defaultSettings(newId('sess'), deps.model),
    isDeaf: false,
  };
  const handlers = handlersOf(context);
  context.send({ type: 'session.created', session: context.settings });
  return {
    receive: (frame) => receive(frame, handlers, context.send),
    end: () => context.timers.clear(),
  };
}

function handlersOf(context: SessionContext): Handlers {
  const speaker = createSpeaker(context);
  const turns = createCallerTurns(context, speaker);
  const conversation = createConversation(context);
  return {
    'session.update': on(sessionUpdateSchema, ({ session }) => {
      context.settings = updatedSettings(context.settings, session, speaker.hasSpoken);
      context.send({ type: 'session.updated', session: context.settings });
    }),
    'input_audio_buffer.append': on(appendSchema, ({ audio }) => turns.append(audio)),
    'input_audio_buffer.commit': on(bareEventSchema, () => turns.commit()),
    'input_audio_buffer.clear': on(bareEventSchema, () => turns.clear()),
    'conversation.item.create': on(createItemSchema, ({ item }) => conversation.create(item)),
    'conversation.item.truncate': on(truncateItemSchema, (event) => conversation.truncate(event)),
    'conversation.item.delete': on(namedItemSchema, (event) => conversation.remove(event.item_id)),
    'conversation.item.retrieve': on(namedItemSchema, (event) => conversation.retrieve(event.item_id)),
    'response.create': on(createResponseSchema, ({ response }) =>
      speaker.create(response?.instructions ?? null, response?.metadata),
    ),
    'response.cancel': on(cancelResponseSchema, (event) => {
      if (speaker.cancel('client_cancelled', event.response_id)) return;
      throw badRequest('Cancellation failed: no active response found', undefined, 'response_cancel_not_active');
    }),
  };
}
