import { randomBytes } from 'node:crypto';
import { parseConfig } from '@pipeline/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { environmentOf, textsOf, type Variable } from './environment.ts';
import { readBase, workloadsOf, type Manifest } from './manifests.ts';
import { DEPLOYED, JOBS, NEVER_DEPLOYED, OPERATED, schemaOf } from './service-schemas.ts';

/** What an installation must say for itself: the base leaves it blank, so that a forgotten one is refused by name at the start. */
const OWN_VALUES = {
  NATS_URL: 'tls://nats.example.com:4222',
  MONGO_URL: 'mongodb+srv://cluster.example.com/',
  TWILIO_ACCOUNT_SID: 'AC0123456789abcdef0123456789abcdef',
  PUBLIC_BASE_URL: 'https://calls.example.com',
};
const SECRET_NAME = /PASSWORD|SECRET|TOKEN|API_KEY|SETTINGS_KEYS/;
/** Secrets that have a form. */
const SHAPED_SECRETS: Readonly<Record<string, string>> = {
  TWILIO_API_KEY_SID: 'SK0123456789abcdef0123456789abcdef',
  SETTINGS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
};
let base: Manifest[];

beforeAll(async () => {
  base = await readBase();
});

describe.each([...DEPLOYED, ...JOBS, ...OPERATED])('the environment of %s', (service) => {
  it('has exactly the variables of its schema', async () => {
    const known = Object.keys((await schemaOf(service)).shape).filter((name) => !NEVER_DEPLOYED.has(name));
    expect([...variablesOf(service).keys()].toSorted()).toEqual(known.toSorted());
  });

  it('takes every secret from the Secret of its identity and from nowhere else', () => {
    const variables = [...variablesOf(service)];
    const secrets = variables.filter(([name]) => SECRET_NAME.test(name));
    const others = variables.filter(([name]) => !SECRET_NAME.test(name));
    expect(secrets.length).toBeGreaterThan(0);
    for (const [name, variable] of secrets) {
      expect(variable, name).toEqual({ kind: 'secret', secret: identityOf(service), key: name, text: null });
    }
    expect(others.filter(([, { kind }]) => kind !== 'plain' && kind !== 'field')).toEqual([]);
  });

  it('is accepted in production once the installation has said what is its own', async () => {
    const texts = textsOf(variablesOf(service));
    const schema = await schemaOf(service);
    const own = Object.entries(OWN_VALUES).filter(([name]) => texts[name] !== undefined);
    expect(() => parseConfig(schema, { ...texts, ...secretsOf(service), ...Object.fromEntries(own) })).not.toThrow();
    const required = own.filter(([name]) => schema.shape[name]?.safeParse(undefined).success === false);
    for (const [name] of required) {
      const without = {
        ...texts,
        ...secretsOf(service),
        ...Object.fromEntries(own.filter(([other]) => other !== name)),
      };
      expect(() => parseConfig(schema, without)).toThrow(`${name}: is missing`);
    }
  });
});

it('no ConfigMap holds a variable that is a secret by its name', () => {
  const configMaps = base.filter(({ kind }) => kind === 'ConfigMap');
  const names = configMaps.flatMap((configMap) => Object.keys(configMap['data'] ?? {}));
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => SECRET_NAME.test(name))).toEqual([]);
});

/** `trim` is a command of provision, `sweep` is what eraser does. */
function identityOf(service: string): string {
  if (service === 'sweep') return 'eraser';
  return service === 'trim' ? 'provision' : service;
}

function variablesOf(service: string): Map<string, Variable> {
  const workload = workloadsOf(base).find(({ name }) => name === service);
  if (workload === undefined) throw new Error(`${service} is not in the base`);
  return environmentOf(workload, base);
}

function secretsOf(service: string): Record<string, string | undefined> {
  const secrets = [...variablesOf(service)].filter(([, variable]) => variable.kind === 'secret');
  return Object.fromEntries(
    secrets.map(([name]) => [name, Object.hasOwn(SHAPED_SECRETS, name) ? SHAPED_SECRETS[name] : 'b5c2f0a1d4']),
  );
}
