import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IProbe } from 'kubernetes-models/v1';
import { containerOf, environmentOf, textsOf } from './environment.ts';
import { workloadsOf, type Manifest, type Workload } from './manifests.ts';
import { listed } from './pod-rules.ts';
import { DEPLOYED } from './service-schemas.ts';

/** What keeps a service from being started, watched, spread, drained and rolled out as it should. */
export function serviceProblems(manifests: readonly Manifest[]): string[] {
  const workloads = workloadsOf(manifests);
  return DEPLOYED.flatMap((service) => {
    const workload = workloads.find(({ kind, name }) => kind === 'Deployment' && name === service);
    if (workload === undefined) return [`${service}: has no Deployment`];
    const problems = [
      ...rolloutProblems(workload, manifests),
      ...probeProblems(workload, manifests),
      ...drainProblems(workload, manifests),
      ...scratchProblems(workload, manifests),
    ];
    return problems.map((problem) => `${service}: ${problem}`);
  });
}

function rolloutProblems({ name, manifest, template }: Workload, manifests: readonly Manifest[]): string[] {
  const spec = (manifest as unknown as IDeployment).spec; // its types are checked by `typeProblems`
  const labels = template.metadata?.labels ?? {};
  const spread = (template.spec?.topologySpreadConstraints ?? []).filter((constraint) =>
    selects(constraint.labelSelector?.matchLabels, labels),
  );
  const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget') as unknown as IPodDisruptionBudget[]; // see above
  const budget = budgets.find((one) => selects(one.spec?.selector?.matchLabels, labels))?.spec;
  const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
  return listed([
    [spec?.strategy?.rollingUpdate?.maxUnavailable === 0, 'loses a pod in a rollout'],
    [selects(spec?.selector.matchLabels, labels), 'does not select its own pods'],
    [
      spread.map(({ topologyKey }) => topologyKey).join() === 'topology.kubernetes.io/zone,kubernetes.io/hostname',
      'is not spread over zones and hosts',
    ],
    [budget !== undefined, 'has no PodDisruptionBudget'],
    [budget?.maxUnavailable !== undefined && budget.maxUnavailable !== 0, 'lets no node be drained'],
    [budget?.unhealthyPodEvictionPolicy === 'AlwaysAllow', 'keeps a node from being drained while it is unhealthy'],
    [template.spec?.serviceAccountName === name && accounts.includes(name), 'has no ServiceAccount of its own'],
  ]);
}

function probeProblems(workload: Workload, manifests: readonly Manifest[]): string[] {
  const container = containerOf(workload);
  const texts = textsOf(environmentOf(workload, manifests));
  const health = (container.ports ?? []).find(({ name }) => name === 'health');
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const boot = (startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0);
  return listed([
    [asks(startupProbe, '/health/startup'), 'startup is not asked at its own place'],
    [asks(readinessProbe, '/health/ready'), 'readiness is not asked at its own place'],
    [
      asks(livenessProbe, '/health/live'),
      'liveness is not asked at its own place: a dependency that is down would restart pods',
    ],
    [boot >= 120, 'has less than two minutes to start'],
    [String(health?.containerPort) === texts['HEALTH_PORT'], 'health is asked at another port than it listens on'],
  ]);
}

function drainProblems(workload: Workload, manifests: readonly Manifest[]): string[] {
  const texts = textsOf(environmentOf(workload, manifests));
  const graceMs = (workload.template.spec?.terminationGracePeriodSeconds ?? 0) * 1_000;
  const preStopMs = (containerOf(workload).lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
  const shutdownMs = Number(texts['SHUTDOWN_GRACE_MS']);
  const requests = Object.entries(texts).filter(([name]) =>
    /(?<!PROVIDER|RECORDING)_(TIMEOUT|LEASE|DRAIN)_MS$|^DRAIN_MS$/.test(name),
  );
  return listed([
    [preStopMs >= 5_000, 'is told to stop before it gets no more connections'],
    [graceMs > preStopMs + shutdownMs, 'is killed before SHUTDOWN_GRACE_MS is over'],
    [requests.every(([, ms]) => Number(ms) < shutdownMs), 'has requests that outlast SHUTDOWN_GRACE_MS'],
  ]);
}

/** A file for each message in work, and what a process writes anyway. */
function scratchProblems(workload: Workload, manifests: readonly Manifest[]): string[] {
  const { SLOTS, MAX_AUDIO_BYTES } = textsOf(environmentOf(workload, manifests));
  const needed = MAX_AUDIO_BYTES === undefined ? 0 : Number(SLOTS) * Number(MAX_AUDIO_BYTES) + 64 * 1_048_576;
  const tmp = (workload.template.spec?.volumes ?? []).find(({ name }) => name === 'tmp');
  const room = bytesOf(tmp?.emptyDir?.sizeLimit);
  const limit = bytesOf(containerOf(workload).resources?.limits?.['ephemeral-storage']);
  return listed([
    [
      containerOf(workload).volumeMounts?.some(({ mountPath }) => mountPath === '/tmp') === true,
      'has no place for temporary files',
    ],
    [room >= needed, 'has less room than SLOTS x MAX_AUDIO_BYTES + 64Mi'],
    [limit >= room, 'is evicted before its volume is full'],
  ]);
}

function asks(probe: IProbe | undefined, path: string): boolean {
  return probe?.httpGet?.path === path && probe.httpGet.port === 'health';
}

/** True when a selector is not empty and every label of it is there. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

function bytesOf(quantity: string | number | undefined): number {
  const [, amount, unit = ''] = /^(\d+)(Mi|Gi)?$/.exec(String(quantity ?? 0)) ?? [];
  return Number(amount) * ({ '': 1, Mi: 1_048_576, Gi: 1_073_741_824 }[unit] ?? Number.NaN);
}
