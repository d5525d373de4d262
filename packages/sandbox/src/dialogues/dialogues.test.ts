import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transcriptLines } from '@pipeline/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { modulate } from '../speech/modulate.ts';
import { loadBusinesses, loadDialogues, loadInterruptedDialogues, loadKeywordRules } from './load.ts';

const dialogues = await loadDialogues();
const interruptions = await loadInterruptedDialogues();
const all = [...dialogues, ...interruptions];
const businesses = await loadBusinesses();
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

describe('dialogues', () => {
  it('hold Hebrew, English and mixed directions, a silent call and one that ends at once', () => {
    const spoken = dialogues.filter((dialogue) => dialogue.turns.length > 0);
    expect(spoken.filter((dialogue) => dialogue.language === 'he').length).toBeGreaterThanOrEqual(3);
    expect(spoken.filter((dialogue) => dialogue.language === 'en').length).toBeGreaterThanOrEqual(2);
    expect(spoken.some((dialogue) => dialogue.turns.some((turn) => /[א-ת].*[a-z].*[א-ת]/i.test(turn.text)))).toBe(true);
    expect(dialogues.filter((dialogue) => dialogue.silent)).toHaveLength(1);
    expect(dialogues.filter((dialogue) => !dialogue.silent && dialogue.turns.length === 0)).toHaveLength(1);
  });

  it.each(all)('$id is answered by its business, greeting first, and each side speaks in turn', (dialogue) => {
    const business = businesses.find((candidate) => candidate.id === dialogue.businessId);
    expect(business?.language).toBe(dialogue.language);
    expect(business?.phone_numbers).toContain(dialogue.to);
    const speakers = dialogue.turns.map((turn) => turn.speaker);
    expect(speakers).toEqual(speakers.map((_, at) => (at % 2 === 0 ? 'agent' : 'caller')));
    expect(dialogue.turns[0]?.text ?? business?.agent.greeting).toBe(business?.agent.greeting);
    expect(dialogue.turns.at(-1)?.speaker ?? 'caller').toBe(dialogue.ending === 'agent_hangs_up' ? 'agent' : 'caller');
  });

  it.each(dialogues)('$id lasts at most 15 s and quotes its summary', (dialogue) => {
    const seconds = dialogue.turns.reduce((sum, turn) => sum + modulate(turn.text).length / 8_000 + 0.5, 0);
    expect(seconds).toBeLessThanOrEqual(15);
    for (const { quote } of Object.values(dialogue.answers.fields)) expect(dialogue.answers.summary).toContain(quote);
  });

  it('are told apart by every word of a caller and by the transcript', () => {
    const said = all.flatMap((dialogue) => dialogue.turns.filter((turn) => turn.speaker === 'caller'));
    expect(new Set(said.map((turn) => turn.text)).size).toBe(said.length);
    const transcripts = dialogues
      .filter((dialogue) => dialogue.turns.length > 0)
      .map(({ turns }) => transcriptLines(turns));
    expect(new Set(transcripts).size).toBe(transcripts.length);
  });

  it.each(interruptions)('$id cuts the agent in the middle of a turn', ({ turns }) => {
    const cuts = turns.flatMap(({ interruptsAfterMs = 0 }, at) =>
      interruptsAfterMs > 0 ? [{ interruptsAfterMs, at }] : [],
    );
    expect(cuts).toHaveLength(1);
    for (const { interruptsAfterMs, at } of cuts) {
      expect(interruptsAfterMs).toBeLessThan(modulate(turns[at - 1]?.text ?? '').length / 8 - 1_000);
    }
  });

  it('answer only fields that the business asks for, city and service among them', () => {
    for (const dialogue of dialogues.filter(({ turns }) => turns.length > 0)) {
      const business = businesses.find((candidate) => candidate.id === dialogue.businessId);
      const keys = business?.fields.map((field) => field.key) ?? [];
      expect(keys).toEqual(expect.arrayContaining(Object.keys(dialogue.answers.fields)));
      expect(dialogue.answers.fields).toMatchObject({ city: {}, service: {} });
    }
  });

  it('have keyword rules in both languages for city and service', async () => {
    const rules = await loadKeywordRules();
    for (const language of ['he', 'en'] as const) {
      expect(rules[language]?.map((rule) => rule.field)).toEqual(expect.arrayContaining(['city', 'service']));
    }
  });

  it('that are not valid are refused with the file and the place of each problem', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dialogues-'));
    folders.push(folder);
    const url = pathToFileURL(`${folder}/`);
    await writeFile(
      join(folder, 'bad.json'),
      JSON.stringify({ ...dialogues[0], from: 'nobody', turns: [{ speaker: 'dog' }] }),
    );
    await expect(loadDialogues(url)).rejects.toThrow(/bad\.json is not valid[^]*from[^]*turns\[0\]\.speaker/);
    await writeFile(join(folder, 'bad.json'), '{');
    await expect(loadDialogues(url)).rejects.toThrow('bad.json is not JSON');
  });
});
