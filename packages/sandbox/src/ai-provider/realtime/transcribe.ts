import type { AiFault } from '../faults.ts';
import type { Item, Items } from './items.ts';
import type { ServerEvent } from './response.ts';

/** The events of the transcription of a caller's turn; the item gets its transcript. */
export function transcribe(item: Item, text: string, fault: AiFault | undefined, items: Items): ServerEvent[] {
  const place = { item_id: item.id, content_index: 0 };
  const name = 'conversation.item.input_audio_transcription';
  if (fault !== undefined) {
    const error = {
      type: 'transcription_error',
      code: 'audio_unintelligible',
      message: 'The audio could not be transcribed.',
      param: null,
    };
    return [{ type: `${name}.failed`, ...place, error }];
  }
  items.put({ ...item, content: [{ type: 'input_audio', transcript: text }] });
  const half = Math.ceil(text.length / 2);
  const deltas = [text.slice(0, half), text.slice(half)].filter((delta) => delta !== '');
  return [
    ...deltas.map((delta) => ({ type: `${name}.delta`, ...place, delta })),
    {
      type: `${name}.completed`,
      ...place,
      transcript: text,
      usage: { type: 'duration', seconds: Math.ceil(text.length / 15) },
    },
  ];
}
