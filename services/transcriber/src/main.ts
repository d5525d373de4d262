import { pricesWith } from '@pipeline/contracts';
import { connectBroker } from '@pipeline/messaging';
import { createService, createStageMetrics, loadConfig, warnOfShutdown } from '@pipeline/runtime';
import { createListener } from './adapters/listener.ts';
import { createSpeechToText } from './adapters/openai.ts';
import { createTwilio } from './adapters/twilio.ts';
import { configSchema } from './config.ts';
import { handle, handOn, type TranscriberDeps } from './handler.ts';
import { createPaidTexts } from './paid-texts.ts';
import { requestsAtOnce } from './recording/windows.ts';
import { createReport } from './report.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('transcriber', config);
const broker = await connectBroker({
  config,
  identity: 'transcriber',
  instance: service.instance,
  logger: service.logger,
  onClosed: service.fail,
});
service.onStop('broker', () => broker.close());
service.addReadiness('broker', broker.readiness);

const twilio = createTwilio({
  baseUrl: config.TWILIO_BASE_URL,
  accountSid: config.TWILIO_ACCOUNT_SID,
  apiKeySid: config.TWILIO_API_KEY_SID,
  apiKeySecret: config.TWILIO_API_KEY_SECRET,
  maxAudioBytes: config.MAX_AUDIO_BYTES,
});
service.onStop('twilio', () => twilio.close());
const listener = createListener();
service.onStop('listener', () => listener.close());
const mode = config.TRANSCRIPTION_MODE;
const concurrency = requestsAtOnce(mode, config.TRANSCRIPTION_CONCURRENCY);
const deps: TranscriberDeps = {
  ...listener,
  openRecordings: twilio.openRecordings,
  paid: createPaidTexts(64, 500_000),
  transcribe: createSpeechToText({
    baseUrl: config.TRANSCRIPTION_BASE_URL,
    apiKey: config.TRANSCRIPTION_API_KEY,
    keyHeader: config.TRANSCRIPTION_KEY_HEADER,
    hints: config.TRANSCRIPTION_HINTS,
    model: config.TRANSCRIPTION_MODEL,
    timeoutMs: config.TRANSCRIPTION_TIMEOUT_MS,
    concurrency,
  }),
  report: createReport(service.logger),
  now: Date.now,
  setup: {
    model: config.TRANSCRIPTION_MODEL,
    channelMap: config.CHANNEL_MAP,
    mode,
    concurrency,
    maxCharsPerSec: config.MAX_SPOKEN_CHARS_PER_SEC,
  },
  prices: pricesWith(config.MODEL_PRICES),
};
const configured = { variable: 'TRANSCRIPTION_MODEL', model: config.TRANSCRIPTION_MODEL };
warnOfShutdown(service.logger, configured, new Date());

const stage = await broker.startStage({
  stage: 'transcriber',
  crashPrefix: 'tr',
  crashPoint: service.crashPoint,
  handle: (event, signal) => handle(event, deps, signal),
  handOn: (event, failure, signal) => handOn(event, failure, deps, signal),
  timing: config,
  logger: service.logger,
  metrics: createStageMetrics(service.registry),
});
service.onStop('stage', () => stage.stop());
service.addReadiness('stage', stage.readiness);
await service.run();
