import { setTimeout as sleep } from 'node:timers/promises';
import { createCallLogReader } from '@pipeline/call-store/call-log';
import { connectStore, createAnnouncedCalls } from '@pipeline/call-store/deliveries';
import { createSettingsReader } from '@pipeline/call-store/settings';
import { createService, loadConfig } from '@pipeline/runtime';
import { createOwners } from './adapters/owners.ts';
import { createStoredList } from './adapters/stored.ts';
import { createTwilio } from './adapters/twilio.ts';
import { configSchema } from './config.ts';
import { createJob } from './job.ts';
import { createMetrics } from './metrics.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('reconciler', config);
const { instance, logger, crashPoint, registry, stopping } = service;

const store = await connectStore({ config, instance, logger });
service.onStop('store', () => store.close());
const twilio = createTwilio({
  baseUrl: config.TWILIO_BASE_URL,
  accountSid: config.TWILIO_ACCOUNT_SID,
  apiKeySid: config.TWILIO_API_KEY_SID,
  apiKeySecret: config.TWILIO_API_KEY_SECRET,
  pageSize: config.TWILIO_PAGE_SIZE,
  timeoutMs: config.TWILIO_TIMEOUT_MS,
});
service.onStop('twilio', () => twilio.close());

const callLogs = createCallLogReader(store);
const settings = createSettingsReader(store);
const job = createJob({
  config,
  instance,
  outside: {
    time: twilio.time,
    listEnded: twilio.listEnded,
    storedKinds: callLogs.kinds,
    listStored: createStoredList(callLogs.storedIn),
    announced: createAnnouncedCalls(store),
    createOwners: () => createOwners(settings),
  },
  crashPoint,
  metrics: createMetrics(registry, () => performance.now()),
  logger,
  elapsed: () => performance.now(),
});
service.addReadiness('job', job.readiness);

const working = (async () => {
  for (;;) {
    const isWell = await job.run(stopping);
    if (stopping.aborted) return;
    if (config.RECONCILE_EVERY_MS === 0) return service.finish(isWell ? 0 : 1);
    await sleep(config.RECONCILE_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
})();
service.onStop('job', () => working);
await service.run();
