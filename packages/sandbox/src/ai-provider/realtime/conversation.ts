import { badRequest } from '../api-error.ts';
import type { ClientItem, TruncateItem } from './client-events.ts';
import type { SessionContext } from './context.ts';
import { newId } from './ids.ts';
import type { Item } from './items.ts';

/** What clients do with the items of a conversation. */
export type Conversation = {
  create(given: ClientItem): void;
  truncate(event: TruncateItem): void;
  remove(itemId: string): void;
  retrieve(itemId: string): void;
};

/** The conversation of a session, as its client may change it. Throws what the API answers to an item that is not there. */
export function createConversation(context: SessionContext): Conversation {
  const { items, lines, send } = context;

  const existing = (itemId: string): Item => {
    const item = items.get(itemId);
    if (item === undefined) throw badRequest(`Item with id '${itemId}' does not exist.`, 'item_id', 'item_not_found');
    return item;
  };

  return {
    create: (given) => {
      const item: Item = { ...given, id: given.id ?? newId('item'), object: 'realtime.item', status: 'completed' };
      const previous = items.put(item);
      send({ type: 'conversation.item.added', previous_item_id: previous, item });
      send({ type: 'conversation.item.done', previous_item_id: previous, item });
      if (given.type !== 'message') return;
      const text = given.content.map((part) => part.text ?? part.transcript ?? '').join(' ');
      if (given.role === 'user') lines.hear(text);
      if (given.role === 'assistant') lines.recall(text);
      context.entry.dialogueId = lines.dialogueId;
    },
    truncate: ({ item_id, audio_end_ms, content_index }) => {
      if (existing(item_id).role !== 'assistant') {
        throw badRequest('Only assistant messages can be truncated.', 'item_id', 'invalid_value');
      }
      const madeMs = items.audioMs(item_id);
      if (audio_end_ms > madeMs) {
        const message = `Audio content of ${madeMs}ms is already shorter than ${audio_end_ms}ms`;
        throw badRequest(message, 'audio_end_ms', 'invalid_value');
      }
      send({ type: 'conversation.item.truncated', item_id, content_index, audio_end_ms });
    },
    remove: (itemId) => {
      items.remove(existing(itemId).id);
      send({ type: 'conversation.item.deleted', item_id: itemId });
    },
    retrieve: (itemId) => send({ type: 'conversation.item.retrieved', item: existing(itemId) }),
  };
}
