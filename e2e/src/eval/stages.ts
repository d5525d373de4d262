import { boundaryFor, createTextModel, type TextModelOptions } from '@pipeline/ai-client';
import {
  createPaidSteps,
  failureOf,
  KNOWN_PRICES,
  PermanentError,
  stageDone,
  transcriptLines,
  type BusinessSettings,
  type CallSummarized,
  type CallTranscribed,
  type NewCallLog,
  type OutboundEvent,
  type Received,
} from '@pipeline/contracts';
import * as extractor from '@pipeline/extractor/handler';
import type { Dialogue } from '@pipeline/sandbox';
import * as summarizer from '@pipeline/summarizer/handler';

/** A call whose words are known, and the business that it was with. */
export type Case = { readonly dialogue: Dialogue; readonly business: BusinessSettings };

/** What the two stages make of the words of a call: the CallLog as extractor would store it. */
export type Analyse = (call: Case, signal: AbortSignal) => Promise<NewCallLog>;

/**
 * The handlers of summarizer and extractor with their own adapters and their own rule for failures, without broker and database: what a
 * part that failed leaves behind is what `handOn` says. Throws RetryLaterError when the provider has to be asked again later.
 */
export function createStages(models: {
  readonly summary: TextModelOptions;
  readonly extraction: TextModelOptions;
}): Analyse {
  const asking = { boundaryFor, now: Date.now, prices: KNOWN_PRICES };
  const summaryDeps = { ...asking, ask: createTextModel(models.summary), model: models.summary.model };
  const ask = createTextModel(models.extraction);
  return async ({ dialogue, business }, signal) => {
    const stored: NewCallLog[] = [];
    const fieldDeps: extractor.ExtractorDeps = {
      ...asking,
      ask,
      model: models.extraction.model,
      settings: async () => business,
      store: async (log) => {
        stored.push(log);
        return { kind: 'stored', callLog: { ...log, stored_at: new Date().toISOString(), previous: null } };
      },
      find: async () => ({ kind: 'none' }),
      paid: createPaidSteps(),
      report: () => undefined,
    };
    const paid = createPaidSteps();
    const [summarized] = await settle(summarizer, transcribed(dialogue, business), { ...summaryDeps, paid }, signal);
    // The one event that summarizer's handler returns.
    await settle(extractor, { ...(summarized as CallSummarized), attempt: 1 }, fieldDeps, signal);
    const [log] = stored;
    if (log === undefined) throw new Error('extractor stored no CallLog');
    return log;
  };
}

type Stage<E, D> = {
  readonly handle: (event: E, deps: D, signal: AbortSignal) => Promise<OutboundEvent[]>;
  readonly handOn: (
    event: E,
    failure: ReturnType<typeof failureOf>,
    deps: D,
    signal: AbortSignal,
  ) => Promise<OutboundEvent[]>;
};

async function settle<E, D>(stage: Stage<E, D>, event: E, deps: D, signal: AbortSignal): Promise<OutboundEvent[]> {
  try {
    return await stage.handle(event, deps, signal);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    return stage.handOn(event, failureOf(error.code, error.spent), deps, signal);
  }
}

const CALL_SID = `CA${'0'.repeat(32)}`;

function transcribed(dialogue: Dialogue, business: BusinessSettings): Received<CallTranscribed> {
  const { turns, language, startedAt } = dialogue;
  const segments = turns.map((turn, at) => ({ ...turn, startMs: at * 1_000, endMs: (at + 1) * 1_000 }));
  const transcript = turns.length === 0 ? null : { text: transcriptLines(turns), language, segments };
  const transcriber = stageDone({ model: 'dialogue', attempts: 1, ms: 0 });
  const { keywords, summary } = business;
  return {
    type: 'call.transcribed',
    version: 1,
    id: `${CALL_SID}:transcriber:r1`,
    occurredAt: startedAt,
    businessId: business.id,
    callSid: CALL_SID,
    revision: 1,
    attempt: 1,
    data: {
      call: {
        from: dialogue.from,
        to: dialogue.to,
        direction: dialogue.direction,
        startedAt,
        endedAt: startedAt,
        durationSec: turns.length,
        endedReason: 'caller_hung_up',
        source: 'gateway',
      },
      analysis: { language: business.language, keywords, summary },
      liveTranscript: null,
      transcript,
      stages: { transcriber },
    },
  };
}
