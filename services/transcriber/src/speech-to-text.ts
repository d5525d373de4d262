import { z } from 'zod';

/** What a provider is told beside the audio. It may refuse either, and hears the same without. */
export type Hint = 'language' | 'keywords';

/** A WAV file of one channel of this length, read piece by piece, anew each time: never held as a whole. */
export type SpeechAudio = {
  readonly bytes: number;
  readonly seconds: number;
  read(): AsyncIterable<Uint8Array>;
};

/** Speech for speech-to-text. Its audio is read only when its turn has come. */
export type SpeechRequest = {
  readonly audio: SpeechAudio;
  readonly language: string;
  readonly keywords: readonly string[];
  /** Told once a process of a hint that the provider refuses, and that is left out from then on. */
  readonly onRefusedHint?: (hint: Hint) => void;
};

/** What was said. `language` as heard, `null` when unsure; `usage` is what the provider counted. */
export const speechTextSchema = z.object({
  text: z.string(),
  language: z.string().nullable(),
  usage: z.record(z.string(), z.number()),
});
export type SpeechText = Readonly<z.infer<typeof speechTextSchema>>;
