import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseConfig } from '@pipeline/runtime';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { environmentOf, textsOf } from './environment.ts';
import { getKustomize, type Kustomize } from './kustomize.ts';
import {
  KUBERNETES_FOLDER,
  kubernetesPath,
  parseManifests,
  readBase,
  workloadsOf,
  type Manifest,
} from './manifests.ts';
import { networkProblems } from './network-rules.ts';
import { podProblems } from './pod-rules.ts';
import { scheduleProblems } from './schedule-rules.ts';
import { DEPLOYED, JOBS, OPERATED, schemaOf } from './service-schemas.ts';
import { serviceProblems } from './service-rules.ts';
import { typeProblems } from './types.ts';

const BUILD_MS = 15 * 60_000;
const CHECK_MS = 180_000;
const overlays = (await readdir(new URL('overlays/', KUBERNETES_FOLDER))).toSorted();
let kustomize: Kustomize | null;

beforeAll(async () => {
  kustomize = await getKustomize((line) => process.stderr.write(`[deploy] ${line}\n`));
}, BUILD_MS);

it(
  'kustomize makes of the base what the other tests read without it',
  async (context) => {
    const rendered = await render(kubernetesPath('base'), context);
    expect(namesIn(rendered.map(withoutHash))).toEqual(namesIn(await readBase()));
  },
  CHECK_MS,
);

it(
  'the component for Prometheus can be laid over the base, and adds what watches and nothing else',
  async (context) => {
    const overlay = await mkdtemp(join(await realpath(tmpdir()), 'overlay-'));
    context.onTestFinished(() => rm(overlay, { recursive: true }));
    const from = (folder: string) => relative(overlay, kubernetesPath(folder));
    const kustomization = { resources: [from('base')], components: [from('components/monitoring')] };
    await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
    const [watched, alone] = [await render(overlay, context), await render(kubernetesPath('base'), context)];
    const added = watched.filter(({ kind, metadata }) =>
      alone.every((one) => one.kind !== kind || one.metadata.name !== metadata.name),
    );
    expect(added.map(({ kind, metadata }) => `${kind} in ${metadata.namespace}`).toSorted()).toEqual([
      'PodMonitor in call-pipeline',
      'PrometheusRule in call-pipeline',
    ]);
  },
  CHECK_MS,
);

describe.for(overlays)('overlays/%s', (overlay) => {
  it(
    'is rendered, has the types of Kubernetes, and breaks no rule',
    async (context) => {
      const manifests = await render(kubernetesPath(`overlays/${overlay}`), context);
      expect(await typeProblems(manifests)).toEqual([]);
      const rules = [podProblems, serviceProblems, scheduleProblems, networkProblems];
      expect(rules.flatMap((rule) => rule(manifests))).toEqual([]);
    },
    CHECK_MS,
  );

  it(
    'gives every service an environment that it accepts',
    async (context) => {
      const manifests = await render(kubernetesPath(`overlays/${overlay}`), context);
      for (const service of [...DEPLOYED, ...JOBS, ...OPERATED]) {
        const workload = workloadsOf(manifests).find(({ name }) => name === service);
        const variables = workload === undefined ? new Map() : environmentOf(workload, manifests);
        const schema = await schemaOf(service);
        expect(() => parseConfig(schema, textsOf(variables)), service).not.toThrow();
      }
    },
    CHECK_MS,
  );

  it(
    'refers only to ConfigMaps and Secrets that are there',
    async (context) => {
      const manifests = await render(kubernetesPath(`overlays/${overlay}`), context);
      const missing = workloadsOf(manifests).flatMap((workload) =>
        [...environmentOf(workload, manifests)].filter(([, { kind }]) => kind === 'missing'),
      );
      expect(missing).toEqual([]);
    },
    CHECK_MS,
  );
});

/** Skips the test, in words, where there is no kustomize. */
async function render(folder: string, context: TestContext): Promise<Manifest[]> {
  if (kustomize === null) return context.skip('no kustomize and no Go to build it');
  return parseManifests(await kustomize.render(folder));
}

/** Generated ConfigMaps end in a hash of what they hold. */
function withoutHash(manifest: Manifest): Manifest {
  if (manifest.kind !== 'ConfigMap') return manifest;
  return {
    ...manifest,
    metadata: { ...manifest.metadata, name: manifest.metadata.name.replace(/-[a-z0-9]{10}$/, '') },
  };
}

function namesIn(manifests: readonly Manifest[]): string[] {
  return manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();
}
