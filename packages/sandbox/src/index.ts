export { startAiProvider, type AiProvider, type AiProviderOptions } from './ai-provider/ai-provider.ts';
export { DIALECT_NAMES, DIALECT_SETUPS, type DialectName } from './ai-provider/dialect.ts';
export type { AiFault, AiFaultKind, AiRoute } from './ai-provider/faults.ts';
export type { AiRequest } from './ai-provider/ledger.ts';
export { createObedientModel, type Orders } from './ai-provider/text/obedient-model.ts';
export type { TextModel } from './ai-provider/text/text-model.ts';
export type { Dialogue, KeywordRule, KeywordRules } from './dialogues/dialogue.ts';
export {
  GOLDEN_SET,
  loadBusinesses,
  loadDialogues,
  loadInterruptedDialogues,
  loadKeywordRules,
} from './dialogues/load.ts';
export { loadInjections, type InjectionSet } from './dialogues/injections.ts';
export { createDemodulator, demodulate, type Demodulator, type Utterance } from './speech/demodulate.ts';
export { modulate } from './speech/modulate.ts';
export { inTurn, keys, music, silence, throughLine, tone, voice } from './speech/sounds.ts';
export { mulawDecode, mulawEncode } from './speech/mulaw.ts';
export { readWav, writeWav, type Wav } from './speech/wav.ts';
export type { TelephoneOptions } from './telephone/account.ts';
export { ODD_FRAMES, type CallFaults } from './telephone/call/faults.ts';
export type { CallOutcome } from './telephone/call/run-call.ts';
export type { CallScript } from './telephone/line/script.ts';
export type { KeptRecording } from './telephone/rest/kept-recordings.ts';
export type { RecordingBehaviour } from './telephone/rest/recording-behaviour.ts';
export { startTelephone, type PlaceCall, type PlacedCall, type Telephone } from './telephone/telephone.ts';
export type { WebhookAnswer } from './webhook-receiver/answers.ts';
export type { ReceivedWebhook } from './webhook-receiver/ledger.ts';
export {
  startWebhookReceiver,
  type WebhookReceiver,
  type WebhookReceiverOptions,
  type WebhookRule,
} from './webhook-receiver/webhook-receiver.ts';
