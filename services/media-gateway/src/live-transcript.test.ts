import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addText, emptyTranscript, interrupt, isAnswerDue, placeItem, setText, turnsOf } from './live-transcript.ts';
import type { LiveTranscript } from './live-transcript.ts';

type Report = (transcript: LiveTranscript) => LiveTranscript;
const after = (...reports: Report[]) => reports.reduce((all, report) => report(all), emptyTranscript);
const texts = (transcript: LiveTranscript) => turnsOf(transcript).map((turn) => turn.text);

describe('the live transcript', () => {
  it('follows the chain of items, in whatever order their texts and places are reported', () => {
    const items = ['a', 'b', 'c', 'd', 'e'];
    const reports: Report[] = items.flatMap((itemId, index): Report[] => {
      const speaker = index % 2 === 0 ? 'agent' : 'caller';
      return [
        (all) => placeItem(all, { itemId, speaker, startMs: 0, previousItemId: items[index - 1] ?? null }),
        (all) => setText(all, { itemId, speaker, startMs: 0, text: itemId }),
      ];
    });
    fc.assert(
      fc.property(fc.shuffledSubarray(reports, { minLength: reports.length }), (shuffled) => {
        expect(texts(after(...shuffled))).toEqual(items);
      }),
    );
  });

  it('orders items that nobody chained by their start', () => {
    const transcript = after(
      (all) => setText(all, { itemId: 'late', speaker: 'caller', startMs: 900, text: 'second' }),
      (all) => setText(all, { itemId: 'early', speaker: 'caller', startMs: 100, text: 'first' }),
    );
    expect(texts(transcript)).toEqual(['first', 'second']);
  });

  it('loses no turn when items name each other in a ring', () => {
    const transcript = after(
      (all) => placeItem(all, { itemId: 'a', speaker: 'caller', startMs: 1, previousItemId: 'b' }),
      (all) => placeItem(all, { itemId: 'b', speaker: 'caller', startMs: 2, previousItemId: 'a' }),
      (all) => setText(all, { itemId: 'a', speaker: 'caller', startMs: 1, text: 'a' }),
      (all) => setText(all, { itemId: 'b', speaker: 'caller', startMs: 2, text: 'b' }),
    );
    expect(texts(transcript)).toEqual(['a', 'b']);
  });

  it('keeps a tool call out of the turns and in the chain', () => {
    const transcript = after(
      (all) => setText(all, { itemId: 'c', speaker: 'agent', startMs: 0, text: 'third' }),
      (all) => placeItem(all, { itemId: 'c', speaker: 'agent', startMs: 0, previousItemId: 'tool' }),
      (all) => setText(all, { itemId: 'a', speaker: 'caller', startMs: 500, text: 'first' }),
      (all) => placeItem(all, { itemId: 'tool', speaker: null, startMs: 800, previousItemId: 'a' }),
    );
    expect(texts(transcript)).toEqual(['first', 'third']);
  });

  it('takes pieces until the whole text comes, and the whole text only once', () => {
    const report = { itemId: 'a', speaker: 'caller', startMs: 0 } as const;
    const transcript = after(
      (all) => addText(all, { ...report, text: 'shal' }),
      (all) => addText(all, { ...report, text: 'om' }),
    );
    expect(texts(transcript)).toEqual(['shalom']);
    const final = setText(transcript, { ...report, text: 'Shalom.' });
    const repeated = setText(addText(final, { ...report, text: '!' }), { ...report, text: 'other' });
    expect(texts(repeated)).toEqual(['Shalom.']);
  });

  it('marks a turn that was cut with what was heard, and keeps its text', () => {
    const transcript = after(
      (all) => setText(all, { itemId: 'a', speaker: 'agent', startMs: 40, text: 'A long story' }),
      (all) => interrupt(all, [{ itemId: 'a', heardMs: 320 }]),
      (all) => interrupt(all, [{ itemId: 'a', heardMs: 999 }]),
    );
    expect(turnsOf(transcript)).toEqual([
      { speaker: 'agent', text: 'A long story', startMs: 40, interrupted: true, heardMs: 320 },
    ]);
  });

  it('stays within the limits of the contract', () => {
    let transcript = emptyTranscript;
    for (let index = 0; index < 3; index += 1) {
      transcript = addText(transcript, { itemId: 'a', speaker: 'agent', startMs: 0, text: 'x'.repeat(9_000) });
    }
    expect(turnsOf(transcript)[0]?.text).toHaveLength(20_000);
  });

  it('knows whether the caller had the last word', () => {
    const caller = setText(emptyTranscript, { itemId: 'a', speaker: 'caller', startMs: 0, text: 'Hello?' });
    expect(isAnswerDue(caller)).toBe(true);
    expect(isAnswerDue(setText(caller, { itemId: 'b', speaker: 'agent', startMs: 9, text: 'Hello!' }))).toBe(false);
    expect(isAnswerDue(emptyTranscript)).toBe(false);
  });
});
