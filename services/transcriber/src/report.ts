import type { Logger } from '@pipeline/runtime';
import type { Progress } from './handler.ts';

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
      }
    }
  };
}

const SWAPPED = 'The live transcript shows the channels the other way round; labels follow it. Is CHANNEL_MAP right?';
const DOUBTFUL = 'The live transcript speaks against CHANNEL_MAP, but not clearly; labels follow CHANNEL_MAP.';
