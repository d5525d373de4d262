import type { Hint, SpeechRequest } from '../speech-to-text.ts';

/**
 * How a speech-to-text server is told the language: `languages` (several, beside keywords: gpt-transcribe), one `language` (whisper and
 * what is compatible with it), or `none`, for servers that refuse fields they do not know. `auto` goes by the name of the model.
 */
export const HINT_MODES = ['auto', 'languages', 'language', 'none'] as const;
export type HintMode = (typeof HINT_MODES)[number];
type SentMode = Exclude<HintMode, 'auto'>;

type Hinted = Pick<SpeechRequest, 'language' | 'keywords'>;

/** The fields of a request that are hints: of those that the server takes, the ones in `sent`. */
export function hintsOf(
  mode: SentMode,
  { language, keywords }: Hinted,
  sent: readonly Hint[],
): { languages?: string[]; keywords?: string[]; language?: string } {
  const withLanguage = sent.includes('language');
  switch (mode) {
    case 'languages':
      return {
        ...(withLanguage ? { languages: [language] } : {}),
        ...(sent.includes('keywords') ? { keywords: [...keywords] } : {}),
      };
    case 'language':
      return withLanguage ? { language } : {};
    case 'none':
      return {};
  }
}

/** The newer models take several languages and keywords; the older ones take one language and call the rest unknown. */
export function hintModeOf(mode: HintMode, model: string): SentMode {
  if (mode !== 'auto') return mode;
  return /^gpt-(live-)?transcribe/.test(model) ? 'languages' : 'language';
}

/** The parameter by which a server complains about a hint. */
export function parameterOf(mode: SentMode, hint: Hint): string {
  return hint === 'keywords' ? 'keywords' : mode;
}

/** Languages are few; of lists of keywords, one a business, the oldest is asked for again when there are more. */
const MOST_REMEMBERED = 1_000;

/** Which hints a model takes of a request, by what it has refused: languages, and lists of keywords as a whole. */
export function createHintMemory(mode: SentMode) {
  const refused = new Set<string>();
  const keyOf = (hint: Hint, { language, keywords }: Hinted): string =>
    JSON.stringify(hint === 'language' ? [hint, language] : [hint, ...keywords]);
  return {
    taken(request: Hinted): Hint[] {
      const known: Hint[] = mode === 'languages' ? ['language', 'keywords'] : mode === 'language' ? ['language'] : [];
      return known.filter(
        (hint) => (hint === 'language' || request.keywords.length > 0) && !refused.has(keyOf(hint, request)),
      );
    },
    /** False when it was known before. */
    remember(hint: Hint, request: Hinted): boolean {
      const key = keyOf(hint, request);
      if (refused.has(key)) return false;
      const [oldest] = refused;
      if (oldest !== undefined && refused.size >= MOST_REMEMBERED) refused.delete(oldest);
      refused.add(key);
      return true;
    },
  };
}
