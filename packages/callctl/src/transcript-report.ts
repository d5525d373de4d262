import { QUALITY_FLAGS, transcriptLines, type CallLog } from '@pipeline/contracts';
import { foreignText } from './terminal-text.ts';

type Row = readonly [label: string, text: string];

/** How far the transcripts of a call can be trusted, without a word of them. */
export function transcriptRows(callLog: CallLog, isTerminal: boolean): Row[] {
  const flags = callLog.transcript_quality?.flags ?? [];
  return [
    ['transcript', trustText(callLog)],
    ...flags.map((flag) => ['doubt', flagText(flag, isTerminal)] as const),
    ['live', liveText(callLog)],
  ];
}

/** Turns of the agent that the caller cut: when they began, and how much of them was heard. */
export function interruptionsOf({
  transcription_turns: turns,
}: CallLog): { startMs: number | null; heardMs: number }[] {
  return turns.flatMap(({ interrupted, startMs, heardMs }) =>
    interrupted === true ? [{ startMs, heardMs: heardMs ?? 0 }] : [],
  );
}

/** What was said, word for word. A mark stands behind a line, outside of the words. */
export function transcriptText(callLog: CallLog, isTerminal: boolean): string {
  const final = callLog.final_segments.map((segment) => marked(segment, doubtMark(segment.flags), isTerminal));
  const live = callLog.transcription_turns.map((turn) => marked(turn, cutMark(turn), isTerminal));
  return [
    'final transcript',
    ...(final.length > 0 ? final : [stored(callLog.final_transcript, isTerminal)]),
    '',
    'live transcript',
    ...(live.length > 0 ? live : [stored(callLog.transcription, isTerminal)]),
  ]
    .filter((line) => line !== null)
    .join('\n');
}

function trustText({ final_transcript: text, transcript_quality: quality }: CallLog): string {
  if (text === null) return 'none';
  if (quality === null || quality === undefined) return 'nobody judged it';
  const { liveMatch, flaggedSegments } = quality;
  const match =
    liveMatch === null
      ? 'too little in common with a live transcript to compare'
      : `${Math.round(liveMatch * 100)} % of it is in the live transcript too`;
  const doubtful =
    flaggedSegments > 1 ? `${flaggedSegments} doubtful segments` : `${flaggedSegments || 'no'} doubtful segment`;
  return `${match}, ${doubtful}`;
}

/** A later version may know flags that this one has no sentence for. */
function flagText(flag: string, isTerminal: boolean): string {
  const known = Object.entries(QUALITY_FLAGS).find(([name]) => name === flag);
  return known === undefined ? foreignText(flag, isTerminal) : `${flag}: ${known[1]}`;
}

function liveText(callLog: CallLog): string {
  const { length } = callLog.transcription_turns;
  if (length === 0) return callLog.transcription === null ? 'none' : 'kept without its turns';
  const cut = interruptionsOf(callLog).length;
  const turns = length === 1 ? '1 turn' : `${length} turns`;
  return cut === 0 ? turns : `${turns}, ${cut} of the agent's cut short by the caller`;
}

type Spoken = Parameters<typeof transcriptLines>[0][number];

/** One line, as consumers read it; null for one without words. */
function marked(spoken: Spoken, mark: string, isTerminal: boolean): string | null {
  const line = transcriptLines([spoken]);
  if (line === '') return null;
  return mark === '' ? foreignText(line, isTerminal) : `${foreignText(line, isTerminal)}  ${mark}`;
}

function doubtMark(flags: readonly string[] = []): string {
  return flags.length === 0 ? '' : `? ${foreignText(flags.join(', '), false)}`;
}

function cutMark({ interrupted, heardMs = 0 }: CallLog['transcription_turns'][number]): string {
  return interrupted === true ? `✂ cut by the caller, ${(heardMs / 1_000).toFixed(2)} s were heard` : '';
}

function stored(text: string | null, isTerminal: boolean): string {
  return text === null ? '-' : foreignText(text, isTerminal);
}
