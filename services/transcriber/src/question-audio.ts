import type { FileAudio, Listening } from './listening.ts';
import { cutPieces, planCut, type Cut, type Piece } from './recording/cut.ts';
import type { Survey } from './recording/survey.ts';
import type { SpeechAudio } from './speech-to-text.ts';

/** What a request carries: parts of one channel of an open file. */
export type AudioCut = { readonly source: FileAudio; readonly survey: Survey; readonly window: Cut };

/**
 * The audio of a request for as long as `use` takes. Settles only when nothing of it is read any more, whatever became of the request:
 * the file is closed then, and its descriptor may be that of another call.
 */
export async function withAudio<T>(
  { source, survey: { layout }, window }: AudioCut,
  cut: Listening['cut'],
  use: (audio: SpeechAudio) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const over = new AbortController();
  const stopped = AbortSignal.any([signal, over.signal]);
  const plan = planCut(layout, window);
  const reading = new Set<Promise<unknown>>();
  const read = async (piece: Piece) => {
    const bytes = cut(source, layout, piece, stopped);
    reading.add(bytes);
    try {
      return await bytes;
    } finally {
      reading.delete(bytes);
    }
  };
  try {
    return await use({ bytes: plan.bytes, seconds: plan.seconds, read: () => cutPieces(plan, read) });
  } finally {
    over.abort(new Error('the request is over'));
    await Promise.allSettled(reading);
  }
}
