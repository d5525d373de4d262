/**
 * How a speech-to-text server is told the language: `languages` (several, beside keywords: gpt-transcribe), one `language` (whisper and
 * what is compatible with it), or `none`, for servers that refuse fields they do not know. `auto` goes by the name of the model.
 */
export const HINT_MODES = ['auto', 'languages', 'language', 'none'] as const;
export type HintMode = (typeof HINT_MODES)[number];

/** The fields of a request that are hints. `withLanguage` is false once the server has refused the language. */
export function hintsOf(
  mode: Exclude<HintMode, 'auto'>,
  request: { readonly language: string; readonly keywords: readonly string[] },
  withLanguage: boolean,
): { languages?: string[]; keywords?: string[]; language?: string } {
  switch (mode) {
    case 'languages':
      return {
        ...(withLanguage ? { languages: [request.language] } : {}),
        ...(request.keywords.length > 0 ? { keywords: [...request.keywords] } : {}),
      };
    case 'language':
      return withLanguage ? { language: request.language } : {};
    case 'none':
      return {};
  }
}

/** The newer models take several languages and keywords; the older ones take one language and call the rest unknown. */
export function hintModeOf(mode: HintMode, model: string): Exclude<HintMode, 'auto'> {
  if (mode !== 'auto') return mode;
  return /^gpt-(live-)?transcribe/.test(model) ? 'languages' : 'language';
}

/** The parameter by which a server complains about a hint; null when nothing is sent that it could refuse. */
export function parameterOf(mode: Exclude<HintMode, 'auto'>): string | null {
  return mode === 'none' ? null : mode;
}
