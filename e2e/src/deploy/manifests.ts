import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { IPodTemplateSpec } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';

/** Any object of Kubernetes, as YAML says it. Types are checked apart, against the models. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
};

/** What runs pods, whatever its kind. */
export type Workload = {
  readonly kind: string;
  readonly name: string;
  readonly manifest: Manifest;
  readonly template: IPodTemplateSpec;
};

type Pods = { readonly template?: IPodTemplateSpec };

export const KUBERNETES_FOLDER = new URL('../../../deploy/k8s/', import.meta.url);

/** The objects of a YAML text. Throws with the place when it is not YAML. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as Manifest; // a file of ours: `typeProblems` checks what is in it
  });
}

/** The base as it is before kustomize: its resources, and the ConfigMaps that it generates, by their plain names. */
export async function readBase(): Promise<Manifest[]> {
  const folder = new URL('base/', KUBERNETES_FOLDER);
  const kustomization = parse(await readFile(new URL('kustomization.yaml', folder), 'utf8')) as {
    resources: string[];
    configMapGenerator: { name: string; envs: string[] }[];
  }; // a file of ours
  const texts = await Promise.all(kustomization.resources.map((file) => readFile(new URL(file, folder), 'utf8')));
  const configMaps = kustomization.configMapGenerator.map(async ({ name, envs }) => {
    const files = await Promise.all(envs.map((file) => readFile(new URL(file, folder), 'utf8')));
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: Object.assign({}, ...files.map(parseEnv)) };
  });
  return [...texts.flatMap(parseManifests), ...(await Promise.all(configMaps))];
}

/** Everything that runs pods. */
export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const spec = (manifest['spec'] ?? {}) as Pods & { jobTemplate?: { spec?: Pods } }; // see `typeProblems`
    const { template } = spec.jobTemplate?.spec ?? spec;
    return template === undefined ? [] : [{ kind: manifest.kind, name: manifest.metadata.name, manifest, template }];
  });
}

/** The path of a folder below `deploy/k8s`. */
export function kubernetesPath(folder: string): string {
  return fileURLToPath(new URL(folder, KUBERNETES_FOLDER));
}

function parseEnv(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
