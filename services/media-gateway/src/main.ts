import { connectStore, createSettingsReader } from '@pipeline/call-store/settings';
import { connectBroker } from '@pipeline/messaging';
import { createService, loadConfig, warnOfShutdown } from '@pipeline/runtime';
import { createOpenAiAgent } from './adapters/openai-agent.ts';
import { agentOf, configSchema } from './config.ts';
import { createGateway } from './gateway.ts';
import { watchLoopDelay } from './loop-delay.ts';
import { createGatewayMetrics, createLoopMetrics } from './metrics.ts';
import { openSharedBuckets } from './shared-buckets.ts';

const config = loadConfig(configSchema, process.env);
const service = await createService('media-gateway', config);
const { instance, logger, registry, stopping, addReadiness } = service;
for (const variable of ['AGENT_MODEL', 'AGENT_TRANSCRIPTION_MODEL'] as const) {
  warnOfShutdown(logger, { variable, model: config[variable] }, new Date());
}

const identity = 'media-gateway';
const broker = await connectBroker({ config, identity, instance, logger, onClosed: service.fail, addReadiness });
service.onStop('broker', () => broker.close());

const store = await connectStore({ config, instance, logger });
service.onStop('store', () => store.close());
addReadiness('store', store.readiness);

const gateway = await createGateway({
  config,
  agent: createOpenAiAgent({ ...agentOf(config), logger }),
  settings: createSettingsReader(store),
  send: async (event) => {
    service.crashPoint('gw.before_publish');
    await broker.publish(event, { onSent: () => service.crashPoint('gw.unacked') });
    service.crashPoint('gw.after_publish');
  },
  shared: openSharedBuckets(broker),
  instance,
  onNoted: () => service.crashPoint('gw.before_reply'),
  stopping,
  createMetrics: (read) => createGatewayMetrics(registry, read),
  logger,
});
addReadiness('events', gateway.readiness.events);
addReadiness('shared', gateway.readiness.shared);

const loop = watchLoopDelay(config.MAX_LOOP_DELAY_MS);
createLoopMetrics(registry, loop);
addReadiness('loop', loop.readiness);

const { HTTP_HOST: host, HTTP_PORT: port } = config;
const address = await gateway.app.listen({ host, port }).catch((error: unknown) => {
  logger.error(
    { host, port, err: error },
    'HTTP_PORT cannot be listened on: another program has it, choose a free one',
  );
  throw error;
});
logger.info({ address, port: Number(new URL(address).port) }, 'Twilio is answered');
service.onStop('http', () => gateway.app.close());
service.onStop('calls', gateway.drain);

await service.run();
