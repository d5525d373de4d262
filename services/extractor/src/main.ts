import { boundaryFor, createTextModel } from '@pipeline/ai-client';
import { createCallLogReader } from '@pipeline/call-store/call-log';
import { connectStore, createCallLogWriter } from '@pipeline/call-store/call-log-writer';
import { createSettingsReader } from '@pipeline/call-store/settings';
import { pricesWith } from '@pipeline/contracts';
import { connectBroker } from '@pipeline/messaging';
import { createService, createStageMetrics, loadConfig, warnOfShutdown } from '@pipeline/runtime';
import { configSchema, modelOf } from './config.ts';
import { erase } from './erase.ts';
import { expire } from './expire.ts';
import { handle, handOn, ownResult, type ExtractorDeps } from './handler.ts';
import { watchKeeping } from './keeping.ts';
import { countForgotten, createEraseReport, createReport } from './report.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('extractor', config);
const { instance, logger, crashPoint, fail: onClosed, addReadiness } = service;
const store = await connectStore({ config, instance, logger });
service.onStop('store', () => store.close());
addReadiness('store', store.readiness);
const broker = await connectBroker({ config, identity: 'extractor', instance, logger, onClosed, addReadiness });
service.onStop('broker', () => broker.close());

const writer = createCallLogWriter(store);
const deps: Omit<ExtractorDeps, 'paid'> = {
  settings: createSettingsReader(store).byId,
  ask: createTextModel(modelOf(config)),
  store: writer.store,
  find: createCallLogReader(store).find,
  report: createReport(logger),
  boundaryFor,
  now: Date.now,
  model: config.EXTRACTION_MODEL,
  prices: pricesWith(config.MODEL_PRICES),
};
warnOfShutdown(logger, { variable: 'EXTRACTION_MODEL', model: config.EXTRACTION_MODEL }, new Date());

const running = { crashPoint, timing: config, logger, metrics: createStageMetrics(service.registry) };
const stage = await broker.startStage({
  ...running,
  stage: 'extractor',
  crashPrefix: 'ex',
  handle: (event, { paid }, signal) => handle(event, { ...deps, paid }, signal),
  handOn: (event, failure, signal) => handOn(event, failure, deps, signal),
  ownResult: (event, signal) => ownResult(event, deps, signal),
});
const forgetting = { ...writer, ...deps, report: createEraseReport(logger, countForgotten(service.registry)) };
const commands = await broker.startCommands({
  ...running,
  handle: (event, signal) => (event.data.because === 'retention' ? expire : erase)(event, forgetting, signal),
});
const watching = watchKeeping(service.registry, broker.keeping, logger, service.stopping);
service.onStop('keeping', () => watching);
service.onStop('stages', async () => void (await Promise.all([stage.stop(), commands.stop()])));
addReadiness('stage', stage.readiness);
addReadiness('commands', commands.readiness);
await service.run();
