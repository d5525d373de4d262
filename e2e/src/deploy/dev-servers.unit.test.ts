import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { IDENTITIES } from '@pipeline/contracts';
import { getServers } from '@pipeline/sandbox/servers';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mongoRolesFile, natsUsersFile } from './dev-servers.ts';
import { environmentOf } from './environment.ts';
import { fileStoreOf } from './file-store.ts';
import { kubernetesPath, parseManifests, workloadsOf, type Manifest } from './manifests.ts';

const DEV = 'overlays/dev';
const REWRITE = 'run `node e2e/src/deploy/main.ts`';
let servers: Manifest[];

beforeAll(async () => {
  servers = (await Promise.all(['nats.yaml', 'mongodb.yaml'].map(fileOf))).flatMap(parseManifests);
});

it("NATS' users have the rights that the code says, and no more", async () => {
  expect(await fileOf('nats/users.conf'), REWRITE).toBe(natsUsersFile());
});

it("MongoDB's users have the roles that the code says, and no more", async () => {
  expect(await fileOf('mongodb/roles.json'), REWRITE).toBe(mongoRolesFile());
});

it('both servers are given the password of every user that they make', async () => {
  const users = [...(await fileOf('nats/users.conf')).matchAll(/\$(NATS_PASSWORD_\w+)/g)].map(([, name = '']) => name);
  expect(variablesOf('nats').toSorted()).toEqual(users.toSorted());
  const identities = Object.keys(JSON.parse(await fileOf('mongodb/roles.json')) as object);
  const passwords = identities.map((identity) => `MONGO_PASSWORD_${identity.toUpperCase().replaceAll('-', '_')}`);
  const given = variablesOf('mongodb').filter((name) => name.startsWith('MONGO_PASSWORD_'));
  expect(given.toSorted()).toEqual(passwords.toSorted());
});

it('a real NATS server accepts its configuration', async (context) => {
  const { nats } = await getServers();
  if (nats.kind === 'given') return context.skip('NATS is given by its address: there is no program to ask');
  const passwords = IDENTITIES.map((identity) => [
    `NATS_PASSWORD_${identity.toUpperCase().replaceAll('-', '_')}`,
    'any',
  ]);
  const args = [...nats.leading, '-t', '-c', kubernetesPath(`${DEV}/nats/nats.conf`)];
  const { stderr } = await promisify(execFile)(nats.file, args, {
    env: Object.fromEntries(passwords),
    timeout: 20_000,
  });
  expect(stderr).toContain('is valid');
}, 900_000);

it('NATS has room for every stream that `provision` makes', async () => {
  const { configMapGenerator } = parse(await fileOf('kustomization.yaml')) as {
    configMapGenerator: { name: string; literals?: string[] }[];
  }; // a file of ours
  const literals = configMapGenerator.find(({ name }) => name === 'broker')?.literals ?? [];
  const settings = Object.fromEntries(literals.map((literal) => literal.split('=')));
  const { reserved } = fileStoreOf(settings);
  const [, gigabytes] = /max_file_store: (\d+)GB/.exec(await fileOf('nats/nats.conf')) ?? [];
  expect(reserved).toBeGreaterThan(0);
  expect(reserved).toBeLessThanOrEqual(Number(gigabytes) * 1_073_741_824);
});

function variablesOf(server: string): string[] {
  const workload = workloadsOf(servers).find(({ name }) => name === server);
  return workload === undefined ? [] : [...environmentOf(workload, servers).keys()];
}

function fileOf(name: string): Promise<string> {
  return readFile(kubernetesPath(`${DEV}/${name}`), 'utf8');
}
