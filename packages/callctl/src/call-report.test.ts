import { callLogSchema } from '@pipeline/contracts';
import { describe, expect, test } from 'vitest';
import { reportJson, reportText } from './call-report.ts';
import { callLog as plain } from './reanalysis/fixtures/call-log.ts';

/** A call whose agent was cut short once, and whose transcript is doubtful. */
const callLog = callLogSchema.parse({
  ...plain,
  transcription: 'agent: A long story\ncaller: stop\nagent: Fine.',
  transcription_turns: [
    { speaker: 'agent', text: 'A long story', startMs: 40, interrupted: true, heardMs: 1_260 },
    { speaker: 'caller', text: ' stop ', startMs: 1_300 },
    { speaker: 'agent', text: '  ', startMs: 1_400, interrupted: true, heardMs: 0 },
    { speaker: 'agent', text: 'Fine.', startMs: 1_500 },
  ],
  final_transcript: 'agent: A long\ncaller: stop stop stop\nagent: Fine.',
  final_segments: [
    { speaker: 'agent', text: 'A long', startMs: 40, endMs: 1_300 },
    { speaker: 'caller', text: 'stop stop stop', startMs: 1_300, endMs: 1_500, flags: ['repetition', 'too_fast'] },
    { speaker: 'agent', text: 'Fine.', startMs: 1_500, endMs: 2_000 },
  ],
  transcript_quality: { flags: ['parts_missing', 'of_a_later\u001b[2Jversion'], flaggedSegments: 1, liveMatch: 0.754 },
});
const report = { callLog, deliveries: [], withTranscript: false };
const linesOf = (text: string, first: string): string[] => text.split('\n').filter((line) => line.startsWith(first));

describe('the report of a call', () => {
  test('says how far its transcript can be trusted, with a sentence for every flag', () => {
    const text = reportText(report, false);
    expect(linesOf(text, 'transcript')).toEqual([
      expect.stringMatching(/^transcript +75 % of it is in the live transcript too, 1 doubtful segment$/),
    ]);
    expect(linesOf(text, 'doubt')).toEqual([
      expect.stringMatching(
        /^doubt +parts_missing: Speech-to-text refused single stretches; their words are missing\.$/,
      ),
      expect.stringMatching(/^doubt +of_a_later\[2Jversion$/),
    ]);
  });

  test('says that a transcript has no flag, that nobody judged it, and that there is none', () => {
    const quality = { flags: [], flaggedSegments: 0, liveMatch: null };
    const transcriptOf = (changes: object): string[] =>
      linesOf(reportText({ ...report, callLog: { ...callLog, ...changes } }, false), 'transcript');
    expect(transcriptOf({ transcript_quality: quality })).toEqual([
      expect.stringMatching(/too little in common with a live transcript to compare, no doubtful segment$/),
    ]);
    expect(transcriptOf({ transcript_quality: null })).toEqual([expect.stringMatching(/nobody judged it$/)]);
    expect(transcriptOf({ final_transcript: null, transcript_quality: null })).toEqual([
      expect.stringMatching(/none$/),
    ]);
  });

  test('says how often the agent was cut short, and shows no word of it', () => {
    const text = reportText(report, false);
    expect(linesOf(text, 'live')).toEqual([
      expect.stringMatching(/^live +4 turns, 2 of the agent's cut short by the caller$/),
    ]);
    expect(text).not.toContain('long');
  });

  test('marks each turn that was cut short and each doubtful segment, outside of the words', () => {
    const text = reportText({ ...report, withTranscript: true }, true);
    const [, speech = ''] = text.split('\nfinal transcript\n');
    expect(speech.split('\n')).toEqual([
      '\u2068agent: A long\u2069',
      '\u2068caller: stop stop stop\u2069  ? repetition, too_fast',
      '\u2068agent: Fine.\u2069',
      '',
      'live transcript',
      '\u2068agent: A long story\u2069  ✂ cut by the caller, 1.26 s were heard',
      '\u2068caller: stop\u2069',
      '\u2068agent: Fine.\u2069',
    ]);
  });

  test('falls back to the stored lines where a CallLog has no turns and no segments', () => {
    const bare = { ...callLog, transcription_turns: [], final_segments: [] };
    const text = reportText({ ...report, callLog: bare, withTranscript: true }, false);
    expect(text).toContain('final transcript\nagent: A long\ncaller: stop stop stop\nagent: Fine.\n');
    expect(text).toContain('live transcript\nagent: A long story\ncaller: stop\nagent: Fine.');
  });

  test('for programs has the quality and the interruptions without the words, and the turns when asked for', () => {
    expect(reportJson(report)).toMatchObject({
      callLog: { transcript_quality: { flags: ['parts_missing', expect.any(String)], flaggedSegments: 1 } },
      interruptions: [
        { startMs: 40, heardMs: 1_260 },
        { startMs: 1_400, heardMs: 0 },
      ],
    });
    expect(JSON.stringify(reportJson(report))).not.toContain('story');
    expect(reportJson({ ...report, withTranscript: true })).toMatchObject({
      callLog: { transcription_turns: [{ interrupted: true, heardMs: 1_260 }, {}, {}, {}] },
    });
  });
});
