import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { fileStoreOf } from './file-store.ts';
import { parseManifests, readBase } from './manifests.ts';
import { typeProblems } from './types.ts';

const GIB = 1_073_741_824;
const ROOT = new URL('../../../', import.meta.url);
const readme = await readFile(new URL('deploy/README.md', ROOT), 'utf8');

it('the README says how large the file store of NATS has to be, as the base reserves it', async () => {
  const configMap = (await readBase()).find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'broker');
  const broker = configMap?.['data'] as Record<string, string>; // made of our own file
  const { each, reserved } = fileStoreOf(broker);
  expect(readme).toContain(`at least ${Math.ceil(reserved / GIB)} GiB (\`max_file_store\``);
  expect(each.filter((bytes) => bytes === Number(broker['STREAM_MAX_BYTES']))).toHaveLength(6);
});

it('the policy for a provider inside the network is one that Kubernetes knows, and lets out the pods that ask providers', async () => {
  const [, example = ''] = /### A provider inside your network[^]*?```yaml\n([^]*?)```/.exec(readme) ?? [];
  const policies = parseManifests(example);
  expect(policies).toHaveLength(1);
  expect(await typeProblems(policies)).toEqual([]);
  const [policy] = policies;
  const inBase = (await readBase()).find(({ metadata }) => metadata.name === 'allow-providers');
  expect(policy?.['spec']).toMatchObject({
    podSelector: Object(inBase?.['spec']).podSelector,
    policyTypes: ['Egress'],
  });
});
