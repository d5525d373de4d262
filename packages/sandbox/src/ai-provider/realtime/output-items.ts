import { modulate } from '../../speech/modulate.ts';
import { mulawEncode } from '../../speech/mulaw.ts';
import { newId } from './ids.ts';
import type { Item, Items } from './items.ts';
import type { ServerEvent } from './response.ts';

/** One item of a response in the making. `steps` yields the events of each step; the item that is done comes from `close`. */
export type OutputItem = {
  steps(): Generator<readonly ServerEvent[]>;
  /** The events that end it, and the item as it is then. */
  close(status: 'completed' | 'incomplete'): { readonly item: Item; readonly events: readonly ServerEvent[] };
};

/** 200 ms of mu-law: what the real API sends in one delta. */
const DELTA_BYTES = 1_600;

/** What the agent says: its sound, 200 ms a step, and its words a little ahead of it. */
export function createMessage(speech: string, responseId: string, index: number, items: Items): OutputItem {
  const id = newId('item');
  const base = { id, object: 'realtime.item', type: 'message', role: 'assistant' } as const;
  const place = { response_id: responseId, item_id: id, output_index: index, content_index: 0 };
  const part = (transcript: string) => ({ ...place, part: { type: 'audio', transcript } });

  return {
    *steps() {
      const added = itemAdded({ ...base, status: 'in_progress', content: [] }, responseId, index, items);
      yield [...added, { type: 'response.content_part.added', ...part('') }];
      for (const { words, bytes } of slices(speech)) {
        items.addAudio(id, bytes.length / 8);
        const sound = { type: 'response.output_audio.delta', ...place, delta: bytes.toString('base64') };
        const text = { type: 'response.output_audio_transcript.delta', ...place, delta: words };
        yield words === '' ? [sound] : [text, sound];
      }
    },
    close: (status) => {
      const item: Item = { ...base, status, content: [{ type: 'output_audio', transcript: speech }] };
      const events = [
        { type: 'response.output_audio.done', ...place },
        { type: 'response.output_audio_transcript.done', ...place, transcript: speech },
        { type: 'response.content_part.done', ...part(speech) },
        ...itemDone(item, responseId, index, items),
      ];
      return { item, events };
    },
  };
}

/** A call of a function without arguments. */
export function createFunctionCall(name: string, responseId: string, index: number, items: Items): OutputItem {
  const base = {
    id: newId('item'),
    object: 'realtime.item',
    type: 'function_call',
    name,
    call_id: newId('call'),
  } as const;
  const place = { response_id: responseId, item_id: base.id, output_index: index, call_id: base.call_id };
  return {
    *steps() {
      yield itemAdded({ ...base, status: 'in_progress', arguments: '' }, responseId, index, items);
    },
    close: (status) => {
      const item: Item = { ...base, status, arguments: '{}' };
      const events = [
        { type: 'response.function_call_arguments.delta', ...place, delta: '{}' },
        { type: 'response.function_call_arguments.done', ...place, name, arguments: '{}' },
        ...itemDone(item, responseId, index, items),
      ];
      return { item, events };
    },
  };
}

function itemAdded(item: Item, responseId: string, index: number, items: Items): ServerEvent[] {
  const previous = items.put(item);
  return [
    { type: 'response.output_item.added', response_id: responseId, output_index: index, item },
    { type: 'conversation.item.added', previous_item_id: previous, item },
  ];
}

function itemDone(item: Item, responseId: string, index: number, items: Items): ServerEvent[] {
  const previous = items.put(item);
  return [
    { type: 'response.output_item.done', response_id: responseId, output_index: index, item },
    { type: 'conversation.item.done', previous_item_id: previous, item },
  ];
}

/** The sound of a text in pieces of 200 ms, each with the words that fall to it. */
function* slices(speech: string): Generator<{ readonly words: string; readonly bytes: Buffer }> {
  const audio = mulawEncode(modulate(speech));
  const words = speech.match(/\s*\S+\s*/g) ?? [];
  const count = Math.ceil(audio.length / DELTA_BYTES);
  for (let step = 0; step < count; step += 1) {
    const from = Math.ceil((step * words.length) / count);
    const to = Math.ceil(((step + 1) * words.length) / count);
    yield {
      words: words.slice(from, to).join(''),
      bytes: audio.subarray(step * DELTA_BYTES, (step + 1) * DELTA_BYTES),
    };
  }
}
