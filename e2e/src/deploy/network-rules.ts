import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { INamespace, IService } from 'kubernetes-models/v1';
import { containerOf, environmentOf } from './environment.ts';
import { workloadsOf, type Manifest, type Workload } from './manifests.ts';
import { listed } from './pod-rules.ts';
import { selects } from './service-rules.ts';

/** What keeps the namespace from being restricted and closed but for what each pod needs. */
export function networkProblems(manifests: readonly Manifest[]): string[] {
  const workloads = workloadsOf(manifests);
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as INetworkPolicy[]; // see `typeProblems`
  return [
    ...namespaceProblems(manifests),
    ...denyProblems(policies),
    ...policies.flatMap((policy) => aimProblems(policy, workloads)),
    ...workloads.flatMap((workload) => reachProblems(workload, manifests, policies)),
    ...manifests.filter(({ kind }) => kind === 'Service').flatMap((service) => servedProblems(service, workloads)),
  ];
}

function namespaceProblems(manifests: readonly Manifest[]): string[] {
  const namespace = manifests.find(({ kind }) => kind === 'Namespace') as INamespace | undefined; // see `typeProblems`
  const labels = namespace?.metadata?.labels ?? {};
  const standard = 'pod-security.kubernetes.io';
  return listed([
    [
      ['enforce', 'audit', 'warn'].every((mode) => labels[`${standard}/${mode}`] === 'restricted'),
      'the namespace is not restricted',
    ],
    [
      /^v1\.\d+$/.test(labels[`${standard}/enforce-version`] ?? ''),
      'the version of the pod security standard is not pinned',
    ],
  ]);
}

function denyProblems(policies: readonly INetworkPolicy[]): string[] {
  const denies = policies.filter(
    ({ spec }) =>
      JSON.stringify(spec?.podSelector) === '{}' && spec?.policyTypes?.length === 2 && !spec.ingress && !spec.egress,
  );
  return listed([[denies.length === 1, 'nothing is denied by default']]);
}

function aimProblems({ metadata, spec }: INetworkPolicy, workloads: readonly Workload[]): string[] {
  const wanted = spec?.podSelector?.matchLabels;
  if (wanted === undefined || Object.keys(wanted).length === 0) return [];
  const isAimed = workloads.some(({ template }) => selects(wanted, template.metadata?.labels ?? {}));
  const open = (spec?.egress ?? []).flatMap((rule) =>
    rule.ports === undefined || rule.to === undefined ? [rule] : [],
  );
  return listed([
    [isAimed, `the policy ${metadata?.name} selects no pod`],
    [open.length === 0, `the policy ${metadata?.name} opens every port or every place`],
  ]);
}

/** Who has the address of a server may reach it, and nobody else. */
function reachProblems(
  workload: Workload,
  manifests: readonly Manifest[],
  policies: readonly INetworkPolicy[],
): string[] {
  const variables = environmentOf(workload, manifests);
  const reaches = (port: number): boolean =>
    policies.some(
      ({ spec }) =>
        selects(spec?.podSelector?.matchLabels, workload.template.metadata?.labels ?? {}) &&
        (spec?.egress ?? []).some((rule) => rule.ports?.some((one) => one.port === port)),
    );
  return listed([
    [variables.has('NATS_URL') === reaches(4222), `${workload.name}: its way to NATS does not fit its configuration`],
    [
      variables.has('MONGO_URL') === reaches(27017),
      `${workload.name}: its way to MongoDB does not fit its configuration`,
    ],
    [isServer(workload) || callsNobody(workload) || reaches(443), `${workload.name}: cannot reach whom it calls`],
  ]);
}

function isServer({ name }: Workload): boolean {
  return name === 'nats' || name === 'mongodb';
}

/** These commands make, trim and purge what is on our own servers. */
function callsNobody({ name }: Workload): boolean {
  return name === 'provision' || name === 'trim' || name === 'sweep';
}

function servedProblems(manifest: Manifest, workloads: readonly Workload[]): string[] {
  const { metadata, spec } = manifest as unknown as IService; // see `typeProblems`
  const served = workloads.find(({ template }) => selects(spec?.selector, template.metadata?.labels ?? {}));
  const ports = (served === undefined ? [] : (containerOf(served).ports ?? [])).map((port) => port.name);
  return listed([
    [served !== undefined, `the Service ${metadata?.name} selects no pod`],
    [
      (spec?.ports ?? []).every(({ targetPort }) => ports.includes(String(targetPort))),
      `the Service ${metadata?.name} leads to a port that is not there`,
    ],
  ]);
}
