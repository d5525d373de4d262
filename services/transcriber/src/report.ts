import type { Logger } from '@pipeline/runtime';
import type { Progress } from './handler.ts';

/** The lines that operators look for. They hold lengths and counts, never a word of the call. */
export function createReport(logger: Pick<Logger, 'info'>): (progress: Progress) => void {
  return (progress) => {
    const { callSid } = progress;
    switch (progress.kind) {
      case 'started':
        return logger.info({ callSid }, `[OFFLINE_STT] Starting offline transcription for ${callSid}`);
      case 'obtained': {
        const { chars, segments } = progress;
        return logger.info({ callSid, chars, segments }, `[OFFLINE_STT] ✅ Transcript obtained: ${chars} chars`);
      }
    }
  };
}
