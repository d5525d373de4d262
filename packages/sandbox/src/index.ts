export type { Dialogue, KeywordRule, KeywordRules } from './dialogues/dialogue.ts';
export { loadBusinesses, loadDialogues, loadKeywordRules } from './dialogues/load.ts';
export { createDemodulator, demodulate, type Demodulator, type Utterance } from './speech/demodulate.ts';
export { modulate } from './speech/modulate.ts';
export { mulawDecode, mulawEncode } from './speech/mulaw.ts';
export { readWav, writeWav, type Wav } from './speech/wav.ts';
