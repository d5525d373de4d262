export { createDemodulator, demodulate, type Demodulator, type Utterance } from './speech/demodulate.ts';
export { modulate } from './speech/modulate.ts';
export { mulawDecode, mulawEncode } from './speech/mulaw.ts';
export { readWav, writeWav, type Wav } from './speech/wav.ts';
