import type { Logger } from '@pipeline/runtime';
import type { Progress } from './handler.ts';
import type { Hint } from './speech-to-text.ts';

/** The lines that operators look for. They hold lengths and counts, never a word of the call. */
export function createReport(logger: Pick<Logger, 'info' | 'warn'>): (progress: Progress) => void {
  return (progress) => {
    const { callSid } = progress;
    switch (progress.kind) {
      case 'started':
        return logger.info({ callSid }, `[OFFLINE_STT] Starting offline transcription for ${callSid}`);
      case 'obtained': {
        const { chars, segments, flags } = progress;
        const quality = flags.join(',');
        logger.info({ callSid, chars, segments, quality }, `[OFFLINE_STT] ✅ Transcript obtained: ${chars} chars`);
        if (flags.includes('channels_swapped')) logger.warn({ callSid }, `[OFFLINE_STT] ⚠️ ${SWAPPED}`);
        if (flags.includes('channels_doubtful')) logger.warn({ callSid }, `[OFFLINE_STT] ⚠️ ${DOUBTFUL}`);
        return;
      }
      case 'hint-refused': {
        const { businessId, hint } = progress;
        return logger.warn({ callSid, businessId, reason: hint }, `[OFFLINE_STT] ⚠️ ${REFUSED[hint]}`);
      }
    }
  };
}

const REFUSED: Readonly<Record<Hint, string>> = {
  language: 'The provider refuses the language of this business as a hint; it is left out until the next start.',
  keywords: 'The provider refuses the keywords of this business; they are left out until the next start.',
};
const SWAPPED = 'The live transcript shows the channels the other way round; labels follow it. Is CHANNEL_MAP right?';
const DOUBTFUL = 'The live transcript speaks against CHANNEL_MAP, but not clearly; labels follow CHANNEL_MAP.';
