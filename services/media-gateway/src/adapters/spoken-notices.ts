/** What Twilio itself says to a caller when no agent can. */
export type Notice =
  /** The call could not be answered. */
  | 'cannot_answer'
  /** The conversation broke off on our side. */
  | 'broke_off'
  /** Nobody owns the number. */
  | 'not_in_service';

/** Words and voice in one language. `voice` where Twilio has none by the language alone. */
type Voice = { readonly language: string; readonly voice?: string; readonly words: Readonly<Record<Notice, string>> };

const ENGLISH: Voice = {
  language: 'en-US',
  words: {
    cannot_answer: 'We are sorry, we cannot take your call right now. Please try again in a few minutes. Goodbye.',
    broke_off: 'We are sorry, the connection to our assistant was lost. Please call again in a few minutes. Goodbye.',
    not_in_service: 'The number you have dialled is not in service. Goodbye.',
  },
};

const VOICES: ReadonlyMap<string, Voice> = new Map([
  ['en', ENGLISH],
  [
    'he',
    {
      language: 'he-IL',
      voice: 'Google.he-IL-Wavenet-A',
      words: {
        cannot_answer: 'אנו מצטערים, לא ניתן לענות לשיחה כעת. אנא נסו שוב בעוד כמה דקות. להתראות.',
        broke_off: 'אנו מצטערים, השיחה נותקה בשל תקלה. אנא התקשרו שוב בעוד כמה דקות. להתראות.',
        not_in_service: 'המספר שחייגתם אינו מחובר. להתראות.',
      },
    },
  ],
  [
    'ar',
    {
      language: 'ar-XA',
      voice: 'Google.ar-XA-Wavenet-A',
      words: {
        cannot_answer: 'نأسف، لا يمكننا الرد على مكالمتكم الآن. يرجى المحاولة مرة أخرى بعد دقائق. مع السلامة.',
        broke_off: 'نأسف، انقطعت المكالمة بسبب عطل. يرجى الاتصال مرة أخرى بعد دقائق. مع السلامة.',
        not_in_service: 'الرقم الذي طلبتموه غير موجود في الخدمة. مع السلامة.',
      },
    },
  ],
  [
    'ru',
    {
      language: 'ru-RU',
      voice: 'Google.ru-RU-Wavenet-A',
      words: {
        cannot_answer:
          'Извините, сейчас мы не можем ответить. Пожалуйста, перезвоните через несколько минут. До свидания.',
        broke_off: 'Извините, связь прервалась. Пожалуйста, перезвоните через несколько минут. До свидания.',
        not_in_service: 'Набранный вами номер не обслуживается. До свидания.',
      },
    },
  ],
]);

/** The notice in the language of a business (BCP 47); in English where ours is none of its languages. */
export function spoken(notice: Notice, language: string | null): Omit<Voice, 'words'> & { readonly text: string } {
  const { words, ...voice } = VOICES.get(language?.split('-')[0] ?? '') ?? ENGLISH;
  return { ...voice, text: words[notice] };
}
