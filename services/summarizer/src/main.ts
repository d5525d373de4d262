import { boundaryFor, createTextModel } from '@pipeline/ai-client';
import { connectBroker } from '@pipeline/messaging';
import { createService, createStageMetrics, loadConfig } from '@pipeline/runtime';
import { configSchema } from './config.ts';
import { handle, handOn, type SummarizerDeps } from './handler.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('summarizer', config);
const broker = await connectBroker({
  config,
  identity: 'summarizer',
  instance: service.instance,
  logger: service.logger,
  onClosed: service.fail,
});
service.onStop('broker', () => broker.close());
service.addReadiness('broker', broker.readiness);

const deps: SummarizerDeps = {
  ask: createTextModel({
    baseUrl: config.SUMMARY_BASE_URL,
    apiKey: config.SUMMARY_API_KEY,
    model: config.SUMMARY_MODEL,
    timeoutMs: config.SUMMARY_TIMEOUT_MS,
    maxOutputTokens: 8_000,
  }),
  boundaryFor,
  now: Date.now,
  model: config.SUMMARY_MODEL,
};

const stage = await broker.startStage({
  stage: 'summarizer',
  crashPrefix: 'sm',
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
