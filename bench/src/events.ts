import { createHash } from 'node:crypto';
import { eventId, stageDone, type CallEnded, type CallTranscribed } from '@pipeline/contracts';

const AT = '2025-12-09T10:30:00.000Z';
/** About the size of a five minute call: 60 turns of 60 characters. */
const TURNS = Array.from({ length: 60 }, (_, n) => ({
  speaker: n % 2 === 0 ? ('agent' as const) : ('caller' as const),
  text: `turn ${n} `.padEnd(60, 'words '),
  startMs: n * 5_000,
}));

/** A `call.ended` of its own call: the n-th of a round. */
export function callEnded(round: string, n: number): CallEnded {
  const callSid = `CA${createHash('md5').update(`${round}:${n}`).digest('hex')}`;
  return {
    type: 'call.ended',
    version: 1,
    id: eventId(callSid, 'media-gateway', 1),
    occurredAt: AT,
    businessId: 'bench',
    callSid,
    revision: 1,
    data: {
      call: {
        from: '+972501234567',
        to: '+97235550100',
        direction: 'inbound',
        startedAt: AT,
        endedAt: AT,
        durationSec: 300,
        endedReason: 'caller_hung_up',
        source: 'gateway',
      },
      analysis: { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'neutral' } },
      liveTranscript: TURNS,
    },
  };
}

/** What a transcriber would hand on for it. */
export function callTranscribed(event: CallEnded): CallTranscribed {
  const segments = TURNS.map((turn) => ({ ...turn, endMs: turn.startMs + 3_000 }));
  return {
    type: 'call.transcribed',
    version: 1,
    id: eventId(event.callSid, 'transcriber', event.revision),
    occurredAt: AT,
    businessId: event.businessId,
    callSid: event.callSid,
    revision: event.revision,
    data: {
      ...event.data,
      transcript: { text: segments.map((segment) => segment.text).join('\n'), language: 'he', segments },
      stages: { transcriber: stageDone({ model: 'none', attempts: 1, ms: 1 }) },
    },
  };
}
