import { boundaryFor, createTextModel } from '@pipeline/ai-client';
import { pricesWith } from '@pipeline/contracts';
import { connectBroker } from '@pipeline/messaging';
import { createService, createStageMetrics, loadConfig, warnOfShutdown } from '@pipeline/runtime';
import { configSchema, modelOf } from './config.ts';
import { handle, handOn, type SummarizerDeps } from './handler.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('summarizer', config);
const broker = await connectBroker({
  config,
  identity: 'summarizer',
  instance: service.instance,
  logger: service.logger,
  onClosed: service.fail,
  addReadiness: service.addReadiness,
});
service.onStop('broker', () => broker.close());

const deps: Omit<SummarizerDeps, 'paid'> = {
  ask: createTextModel(modelOf(config)),
  boundaryFor,
  now: Date.now,
  model: config.SUMMARY_MODEL,
  prices: pricesWith(config.MODEL_PRICES),
};
warnOfShutdown(service.logger, { variable: 'SUMMARY_MODEL', model: config.SUMMARY_MODEL }, new Date());

const stage = await broker.startStage({
  stage: 'summarizer',
  crashPrefix: 'sm',
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
