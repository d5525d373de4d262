import type { IContainer, IEnvVar } from 'kubernetes-models/v1';
import type { Manifest, Workload } from './manifests.ts';

/** Where a variable of a container comes from. `text` of a secret is known only where the secret is among the manifests. */
export type Variable =
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'secret'; readonly secret: string; readonly key: string; readonly text: string | null }
  | { readonly kind: 'field'; readonly path: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** The variables of a workload's container by name; later sources win, as in Kubernetes. */
export function environmentOf(workload: Workload, manifests: readonly Manifest[]): Map<string, Variable> {
  const container = containerOf(workload);
  const variables = new Map<string, Variable>();
  for (const source of container.envFrom ?? []) {
    const name = source.configMapRef?.name ?? '';
    const configMap = find(manifests, 'ConfigMap', name);
    if (configMap === null) variables.set(`(${name})`, { kind: 'missing', reason: `no ConfigMap ${name}` });
    for (const [key, text] of entries(configMap?.['data'])) variables.set(key, { kind: 'plain', text });
  }
  for (const variable of container.env ?? []) variables.set(variable.name, variableOf(variable, manifests));
  return variables;
}

/** The environment as the process sees it, as far as it is known. */
export function textsOf(variables: ReadonlyMap<string, Variable>): Record<string, string> {
  return Object.fromEntries(
    [...variables].flatMap(([name, variable]) => {
      if (variable.kind === 'field') return [[name, 'pod-1']];
      return 'text' in variable && variable.text !== null ? [[name, variable.text]] : [];
    }),
  );
}

/** The only container of a workload. Throws when there are more or none. */
export function containerOf(workload: Workload): IContainer {
  const containers = workload.template.spec?.containers ?? [];
  const [container] = containers;
  if (container === undefined || containers.length > 1)
    throw new Error(`${workload.name} has ${containers.length} containers`);
  return container;
}

function variableOf(variable: IEnvVar, manifests: readonly Manifest[]): Variable {
  const { secretKeyRef, fieldRef } = variable.valueFrom ?? {};
  if (fieldRef !== undefined) return { kind: 'field', path: fieldRef.fieldPath };
  if (secretKeyRef === undefined) return { kind: 'plain', text: variable.value ?? '' };
  const { name = '', key } = secretKeyRef;
  const secret = find(manifests, 'Secret', name);
  const encoded = Object.fromEntries(entries(secret?.['data']))[key];
  if (secret !== null && encoded === undefined) return { kind: 'missing', reason: `no key ${key} in Secret ${name}` };
  return {
    kind: 'secret',
    secret: name,
    key,
    text: encoded === undefined ? null : Buffer.from(encoded, 'base64').toString(),
  };
}

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest | null {
  return manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name) ?? null;
}

function entries(map: unknown): [string, string][] {
  return typeof map === 'object' && map !== null ? Object.entries(map).map(([key, text]) => [key, String(text)]) : [];
}
