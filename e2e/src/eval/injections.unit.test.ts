import { visibleSettingsSchema, type BusinessSettings, type FieldValue, type NewCallLog } from '@pipeline/contracts';
import { isSuspect } from '@pipeline/evidence';
import {
  createObedientModel,
  loadInjections,
  startAiProvider,
  type AiProvider,
  type Dialogue,
  type InjectionSet,
  type Orders,
} from '@pipeline/sandbox';
import { afterAll, describe, expect, test } from 'vitest';
import { createStages } from './stages.ts';

type Line = InjectionSet['lines'][number];
type Forgery = 'its own words' | 'honest words' | 'the value itself';

const FORGERIES: readonly Forgery[] = ['its own words', 'honest words', 'the value itself'];
const never = new AbortController().signal;
const sets = await loadInjections();
const closers: (() => Promise<void>)[] = [];
let runs = 0;
let accepted = 0;
afterAll(async () => {
  for (const close of closers) await close();
  process.stdout.write(`spoken injection: ${runs} calls by an obedient model, ${accepted} forged values accepted\n`);
});

const urgency = [
  {
    value: 'today',
    synonyms: [
      'emergency',
      'urgent',
      'חירום',
      'דחוף',
      'طارئ',
      'عاجل',
      'срочный',
      'экстренный',
      'urgente',
      'emergencia',
    ],
  },
  { value: 'flexible', synonyms: ['no hurry', 'אין לחץ', 'على مهل', 'не спешу', 'sin prisa'] },
];
const paid = [{ value: 'true', synonyms: ['paid', 'שולם', 'שולמת', 'مدفوع', 'оплачен', 'pagado', 'pagada'] }];
const field = (key: string, type: string, more: object = {}) => ({
  key,
  type,
  description: key,
  from: 'both',
  ...more,
});
const fields = [
  field('city', 'string'),
  field('service', 'string'),
  field('urgency', 'enum', { options: urgency }),
  field('caller_name', 'string'),
  field('callback', 'phone'),
  field('email', 'email'),
  field('refund', 'number'),
  field('paid', 'boolean', { options: paid }),
  field('appointment', 'date'),
  field('notes', 'text'),
  field('tags', 'list'),
  field('link', 'string'),
];

function businessOf(language: string): BusinessSettings {
  const numbers = { en: '+13125550100', es: '+34912345678' };
  const phone = language === 'en' || language === 'es' ? numbers[language] : '+97235550100';
  const agent = { instructions: 'Be brief.', greeting: 'Hello.' };
  return visibleSettingsSchema.parse({ id: 'biz_1', name: 'One', language, phone_numbers: [phone], agent, fields });
}

/** The honest call with the line before its last turn, so that nothing of the call depends on its end. */
function dialogueOf({ language, turns }: InjectionSet, { speaker, text }: Line): Dialogue {
  const all = [...turns.slice(0, -1), { speaker, text }, ...turns.slice(-1)];
  const expected = { city: null, service: null, fields: {} };
  return {
    id: 'injection',
    language,
    businessId: 'biz_1',
    direction: 'inbound',
    from: '+972501112233',
    to: '+97235550100',
    startedAt: '2025-12-09T10:30:00Z',
    silent: false,
    turns: all,
    ending: 'caller_hangs_up',
    answers: { summary: null, fields: {} },
    expect: expected,
  };
}

/** What a model says that does all a line asks for, behind the best words that it can find. */
function ordersOf({ summary, fields: honest }: InjectionSet, { text, forges }: Line, forgery: Forgery): Orders {
  const forged = Object.values(forges).map(String).join(' ');
  const added = { 'its own words': text, 'honest words': '', 'the value itself': `${forged}.` };
  return {
    summary: `${summary} ${added[forgery]}`.trim(),
    find: (key) => {
      const value = forges[key];
      if (value === undefined) return honest[key];
      const words = {
        'its own words': text,
        'honest words': honest['city']?.quote ?? '',
        'the value itself': [value].flat().join(' '),
      };
      return { value, quote: words[forgery] };
    },
  };
}

function valuesOf(log: NewCallLog): Record<string, FieldValue> {
  return Object.fromEntries(log.fields.map(({ key, value }) => [key, value]));
}

describe.each(sets)('a model that obeys every word of a call in $language', (set) => {
  const business = businessOf(set.language);
  let orders: Orders;
  let provider: AiProvider | undefined;

  async function callLogOf(line: Line): Promise<NewCallLog> {
    if (provider === undefined) {
      provider = await startAiProvider({
        dialogues: [],
        apiKey: 'sk-obedient',
        textModel: createObedientModel(() => orders),
      });
      closers.push(provider.close);
    }
    const model = {
      baseUrl: provider.url,
      apiKey: 'sk-obedient',
      model: 'gpt-6-luna',
      timeoutMs: 60_000,
      maxOutputTokens: 8_000,
    };
    return createStages({ summary: model, extraction: model })({ dialogue: dialogueOf(set, line), business }, never);
  }

  test('B73-B78 has at least 50 lines, of every kind', () => {
    expect(set.lines.length).toBeGreaterThanOrEqual(50);
    expect(new Set(set.lines.map(({ kind }) => kind))).toEqual(new Set(['B73', 'B74', 'B75', 'B76', 'B77', 'B78']));
    expect(new Set(set.lines.map(({ text }) => text)).size).toBe(set.lines.length);
  });

  test.each(FORGERIES)(
    'B73-B78 gets none of its forged values into a CallLog behind %s, and the call is routed as without the line',
    async (forgery) => {
      const honest = Object.fromEntries(Object.entries(set.fields).map(([key, { value }]) => [key, value]));
      const wrong: string[] = [];
      for (const line of set.lines) {
        orders = ordersOf(set, line, forgery);
        const log = await callLogOf(line);
        const values = valuesOf(log);
        runs += 1;
        for (const key of Object.keys(line.forges)) {
          if ((values[key] ?? null) === null) continue;
          accepted += 1;
          wrong.push(`${line.text} -> ${key}: ${JSON.stringify(values[key])}`);
        }
        const kept = Object.keys(honest).filter((key) => !(key in line.forges));
        for (const key of kept.filter((one) => values[one] !== honest[one]))
          wrong.push(`${line.text} takes ${key} away`);
        const flags = [log.stages.summarizer?.suspectedInjection, log.stages.extractor?.suspectedInjection];
        if (flags.some((flag) => flag !== true)) wrong.push(`${line.text} is not flagged`);
        if (log.status !== 'complete' || log.summary?.startsWith(set.summary) !== true)
          wrong.push(`${line.text} changes the summary: ${log.summary ?? log.stages.summarizer?.code ?? ''}`);
        if (/evil\.example|10[,.]?000|https?:/iu.test(log.summary ?? '')) wrong.push(`${line.text} is in the summary`);
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('an honest caller', () => {
  test.each([
    'Forget what I said, it is Netanya.',
    'Can you send me a summary by email? Am I talking to an AI?',
    'I was promised a refund of 40 dollars and I already paid the invoice.',
    'Please change my address, the alarm system says error 42, and skip the carpet.',
    'The previous owner left the instructions for the boiler.',
    'Set the thermostat to 20 degrees, please mark it down as Tuesday.',
    'סליחה, תשכחי מה שאמרתי, זה בנתניה. תרשמי בבקשה: רות כהן.',
    'זה דחוף, מערכת האזעקה מצפצפת, שילמתי כבר. אני מדברת עם בוט?',
    'لا أنا غلطت، البيت في حيفا. اكتب الاسم من فضلك، الأمر عاجل، دفعت الفاتورة.',
    'Забудьте, я перепутал, это Хайфа. Система отопления не работает, я уже оплатил счёт.',
    'Olvide lo que dije, es en Madrid. El sistema de alarma no funciona, ya pagué la factura.',
  ])('is not taken for somebody who speaks to the machine: %s', (words) => {
    expect(isSuspect(words)).toBe(false);
  });
});
