import type { AiFault } from '../faults.ts';
import type { Heard } from './hear.ts';
import type { TranscriptionRequest } from './request.ts';

/** The answer to a transcription in the form that was asked for, under a fault of its content if there is one. */
export function transcriptionOf(
  request: TranscriptionRequest,
  heard: Heard,
  fault: AiFault | undefined,
): string | object {
  if (fault?.kind === 'malformed') return '{"text": "';
  if (fault?.kind === 'invalid_schema') return { transcript: 42 };
  const text = textOf(heard, fault);
  switch (request.format) {
    case 'text':
      return `${text}\n`;
    case 'srt':
      return heard.segments.map((segment, at) => `${at + 1}\n${range(segment, ',')}\n${segment.text}\n`).join('\n');
    case 'vtt':
      return `WEBVTT\n\n${heard.segments.map((segment) => `${range(segment, '.')}\n${segment.text}\n`).join('\n')}`;
    case 'verbose_json':
      return verbose(request, heard, text);
    case 'json':
      return request.model.id === 'gpt-transcribe'
        ? { text, languages: heard.languages.map((code) => ({ code })), usage: usageOf(heard) }
        : { text, usage: usageOf(heard) };
  }
}

function textOf(heard: Heard, fault: AiFault | undefined): string {
  if (fault?.kind === 'invented') return fault.text;
  return fault?.kind === 'truncated' ? heard.text.slice(0, heard.text.length >> 1) : heard.text;
}

const NAMES: Readonly<Record<string, string>> = { he: 'hebrew', en: 'english', ar: 'arabic', ru: 'russian' };

function verbose(request: TranscriptionRequest, heard: Heard, text: string): object {
  const segments = heard.segments.map((segment, id) => ({
    id,
    seek: 0,
    ...segment,
    tokens: [],
    temperature: 0,
    avg_logprob: -0.1,
    compression_ratio: 1,
    no_speech_prob: 0.01,
  }));
  return {
    task: 'transcribe',
    language: NAMES[heard.languages[0] ?? 'en'] ?? 'english',
    duration: heard.seconds,
    text,
    ...(request.wantsSegments ? { segments } : {}),
    ...(request.wantsWords ? { words: heard.segments.flatMap(wordsOf) } : {}),
    usage: usageOf(heard),
  };
}

/** Words share the time of their segment evenly. */
function wordsOf(segment: Heard['segments'][number]): object[] {
  const words = segment.text.split(/\s+/).filter((word) => word !== '');
  const each = (segment.end - segment.start) / words.length;
  return words.map((word, at) => ({ word, start: segment.start + at * each, end: segment.start + (at + 1) * each }));
}

function usageOf(heard: Heard): object {
  return { type: 'duration', seconds: Math.ceil(heard.seconds) };
}

function range(segment: { readonly start: number; readonly end: number }, separator: string): string {
  return `${clock(segment.start, separator)} --> ${clock(segment.end, separator)}`;
}

function clock(seconds: number, separator: string): string {
  return new Date(seconds * 1_000).toISOString().slice(11, 23).replace('.', separator);
}
