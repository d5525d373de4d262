import { pricesWith } from '@pipeline/contracts';
import { connectBroker } from '@pipeline/messaging';
import { createService, createStageMetrics, loadConfig, warnOfShutdown } from '@pipeline/runtime';
import { createListener } from './adapters/listener.ts';
import { createSpeechToText } from './adapters/openai.ts';
import { createTwilio } from './adapters/twilio.ts';
import { configSchema, setupOf, speechOf, twilioOf } from './config.ts';
import { handle, handOn, type TranscriberDeps } from './handler.ts';
import { createReport } from './report.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('transcriber', config);
const broker = await connectBroker({
  config,
  identity: 'transcriber',
  instance: service.instance,
  logger: service.logger,
  onClosed: service.fail,
  addReadiness: service.addReadiness,
});
service.onStop('broker', () => broker.close());

const twilio = createTwilio(twilioOf(config));
service.onStop('twilio', () => twilio.close());
const listener = createListener();
service.onStop('listener', () => listener.close());
const deps: Omit<TranscriberDeps, 'paid'> = {
  ...listener,
  openRecordings: twilio.openRecordings,
  transcribe: createSpeechToText(speechOf(config)),
  report: createReport(service.logger),
  now: Date.now,
  setup: setupOf(config),
  prices: pricesWith(config.MODEL_PRICES),
};
const configured = { variable: 'TRANSCRIPTION_MODEL', model: config.TRANSCRIPTION_MODEL };
warnOfShutdown(service.logger, configured, new Date());

const stage = await broker.startStage({
  stage: 'transcriber',
  crashPrefix: 'tr',
  crashPoint: service.crashPoint,
  handle: (event, { paid }, signal) => handle(event, { ...deps, paid }, signal),
  handOn: (event, failure, signal) => handOn(event, failure, deps, signal),
  timing: config,
  logger: service.logger,
  metrics: createStageMetrics(service.registry),
});
service.onStop('stage', () => stage.stop());
service.addReadiness('stage', stage.readiness);
await service.run();
