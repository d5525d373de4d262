import { FIELD_TYPES, visibleSettingsSchema, type FieldValue } from '@pipeline/contracts';
import { createObedientModel, loadDialogues, startAiProvider } from '@pipeline/sandbox';
import { expect, test } from 'vitest';
import { createStages } from './stages.ts';

const never = new AbortController().signal;
const SUMMARY =
  'Tom Becker asks for painting three rooms in Boston tomorrow at 9:30. He is sure: it is no hurry. Write to tom@example.com.';

/** What a right answer for a field of each type is, in the words of the summary or of the caller. */
const ANSWERS: Readonly<Record<(typeof FIELD_TYPES)[number], { readonly value: FieldValue; readonly quote: string }>> =
  {
    string: { value: 'Boston', quote: 'in Boston' },
    text: { value: 'painting three rooms in Boston', quote: 'painting three rooms in Boston' },
    integer: { value: 3, quote: 'three rooms' },
    number: { value: 3, quote: 'three rooms' },
    boolean: { value: true, quote: 'He is sure' },
    enum: { value: 'flexible', quote: 'no hurry' },
    date: { value: '2025-12-10', quote: 'tomorrow' },
    time: { value: '09:30', quote: 'at 9:30' },
    phone: { value: '+16175550188', quote: '617 555 0188' },
    email: { value: 'tom@example.com', quote: 'tom@example.com' },
    list: { value: ['Boston', 'three rooms'], quote: 'three rooms in Boston' },
    object: { value: { place: 'Boston', rooms: 3 }, quote: 'three rooms in Boston' },
  };

test('a business may have 96 fields, eight of every type, and each is found in one answer', async () => {
  const [painting] = (await loadDialogues()).filter(({ id }) => id === 'en-painting');
  if (painting === undefined) throw new Error('the dialogue en-painting is there');
  const fields = Array.from({ length: 96 }, (_, at) => {
    const type = FIELD_TYPES[at % FIELD_TYPES.length] ?? 'string';
    const properties = [
      { key: 'place', type: 'string' },
      { key: 'rooms', type: 'integer' },
    ];
    const options = [{ value: 'flexible', synonyms: ['no hurry'] }, { value: 'today' }];
    return {
      key: `${type}_${at}`,
      type,
      description: at % 2 === 0 ? 'מה שהלקוח אמר, sure' : 'ما قاله المتصل, sure',
      from: 'both',
      ...(type === 'enum' ? { options } : {}),
      ...(type === 'object' ? { properties } : {}),
    };
  });
  const business = visibleSettingsSchema.parse({
    id: 'biz_many',
    name: 'Many',
    phone_numbers: ['+13125550100'],
    agent: { instructions: 'x', greeting: 'Hi.' },
    fields,
  });
  const turns = [
    ...painting.turns,
    {
      speaker: 'caller' as const,
      text: 'Tomorrow at 9:30. I am sure. My number is 617 555 0188, and tom@example.com.',
    },
  ];
  const textModel = createObedientModel(() => ({
    summary: SUMMARY,
    find: (key) => ANSWERS[FIELD_TYPES.find((type) => key.startsWith(`${type}_`)) ?? 'string'],
  }));
  const provider = await startAiProvider({ dialogues: [], apiKey: 'sk-many', textModel });
  try {
    const model = {
      baseUrl: provider.url,
      apiKey: 'sk-many',
      model: 'gpt-6-luna',
      timeoutMs: 60_000,
      maxOutputTokens: 8_000,
    };
    const log = await createStages({ summary: model, extraction: model })(
      { dialogue: { ...painting, turns }, business },
      never,
    );
    const wrong = log.fields.filter(({ key, status, value }) => {
      const type = FIELD_TYPES.find((one) => key.startsWith(`${one}_`));
      return (
        type !== undefined && (status !== 'found' || JSON.stringify(value) !== JSON.stringify(ANSWERS[type].value))
      );
    });
    expect(wrong).toEqual([]);
    expect(log.fields).toHaveLength(98);
    expect(provider.requests).toHaveLength(2);
  } finally {
    await provider.close();
  }
});
