import { fileURLToPath } from 'node:url';
import { IDENTITIES } from '@pipeline/contracts';
import { afterAll, expect, test } from 'vitest';
import { serviceEnvironment, SERVICES, type Surroundings } from './environment.ts';
import type { Credentials } from './identities.ts';
import { startService, type ServiceProcess } from './service-process.ts';
import { eventually } from './stack.ts';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';
const user = (identity: string) => [identity, { user: identity, password: 'of-nobody' }] as const;
const surroundings: Surroundings = {
  natsUrl: 'nats://127.0.0.1:9',
  mongoUrl: 'mongodb://127.0.0.1:9',
  databasePrefix: 'alone_',
  credentials: Object.fromEntries(IDENTITIES.map(user)) as unknown as Credentials, // an entry for each identity
  publicBaseUrl: 'https://calls.example',
  telephoneUrl: NOWHERE,
  providerUrl: NOWHERE,
  providerKey: 'key-of-nobody',
  twilio: {
    accountSid: `AC${'0'.repeat(32)}`,
    authToken: 'f'.repeat(32),
    apiKeySid: `SK${'0'.repeat(32)}`,
    apiKeySecret: 'secret-of-nobody',
  },
  shared: {},
  webhookOrigins: [],
};

const processes: ServiceProcess[] = [];
afterAll(async () => void (await Promise.all(processes.map((one) => one.kill()))));

test('without a broker and a database every service counts as started, so that none is restarted over it, and says why it is not ready', async () => {
  await Promise.all(
    SERVICES.map(async (service) => {
      const running = await startService({
        service,
        instance: `${service}-alone`,
        entry: fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url)),
        environment: serviceEnvironment(service, surroundings),
        onLine: () => undefined,
      });
      processes.push(running);
      const ready = async () => {
        const answer = await fetch(`${running.healthUrl}/health/ready`);
        return { code: answer.status, body: await answer.text() };
      };
      expect((await fetch(`${running.healthUrl}/health/startup`)).status, service).toBe(200);
      const isTold = async () => (await ready()).body.includes('CONNECTION_REFUSED');
      await eventually(`${service} names the reason`, isTold);
      expect((await ready()).code, service).toBe(503);
      expect((await fetch(`${running.healthUrl}/health/live`)).status, service).toBe(200);
    }),
  );
});
