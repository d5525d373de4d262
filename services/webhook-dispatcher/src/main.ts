import { randomUUID } from 'node:crypto';
import { createCallLogReader } from '@pipeline/call-store/call-log';
import { connectStore, createDeliveryStore } from '@pipeline/call-store/deliveries';
import { createSettingsReader } from '@pipeline/call-store/settings';
import { createSecretSettingsReader } from '@pipeline/call-store/settings-secrets';
import { createEndpoint, createResolver, urlPolicyOf } from '@pipeline/egress';
import { connectBroker } from '@pipeline/messaging';
import { createService, createStageMetrics, loadConfig } from '@pipeline/runtime';
import { configSchema } from './config.ts';
import { createDispatcher } from './delivery/dispatcher.ts';
import { createDeliveryMetrics } from './delivery/metrics.ts';
import { createNoticeReport } from './delivery/notices.ts';
import { handle, handOn, ownResult } from './handler.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('webhook-dispatcher', config);
const { instance, logger, crashPoint, registry, fail: onClosed, addReadiness } = service;
const store = await connectStore({ config, instance, logger });
service.onStop('store', () => store.close());
addReadiness('store', store.readiness);

const findCall = createCallLogReader(store).find;
const endpoint = createEndpoint({
  policy: urlPolicyOf(config),
  resolve: createResolver({ budgetMs: config.WEBHOOK_CONNECT_TIMEOUT_MS }),
  connectTimeoutMs: config.WEBHOOK_CONNECT_TIMEOUT_MS,
  totalTimeoutMs: config.WEBHOOK_TIMEOUT_MS,
});
service.onStop('connections', async () => endpoint.close());
const { countNotice, ...metrics } = createDeliveryMetrics(registry, Date.now);
const dispatcher = createDispatcher({
  deliveries: createDeliveryStore(store, { onNotice: createNoticeReport(logger, countNotice) }),
  // The only place where secrets are opened: they sign attempts and are kept nowhere.
  findSettings: createSecretSettingsReader(store, config.SETTINGS_KEYS).byId,
  endpoint,
  owner: `${instance}/${randomUUID()}`,
  config,
  ...metrics,
  crashPoint,
  logger,
});
// Deliveries need no broker: they go out while it is away, and its connection below may take as long as it takes.
dispatcher.start();
service.onStop('deliveries', () => dispatcher.stop());

const identity = 'webhook-dispatcher';
const broker = await connectBroker({ config, identity, instance, logger, onClosed, addReadiness });
service.onStop('broker', () => broker.close());
const deps = { findCall, findSettings: createSettingsReader(store).byId, ...dispatcher };
const stage = await broker.startStage({
  stage: 'webhook-dispatcher',
  crashPoint,
  handle: (notice, { traceparent }, signal) => handle(notice, { ...deps, traceparent }, signal),
  handOn,
  ownResult: (notice, signal) => ownResult(notice, deps, signal),
  timing: config,
  logger,
  metrics: createStageMetrics(registry),
});
service.onStop('stage', () => stage.stop());
addReadiness('stage', stage.readiness);
await service.run();
