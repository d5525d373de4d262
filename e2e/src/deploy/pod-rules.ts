import { containerOf } from './environment.ts';
import { workloadsOf, type Manifest, type Workload } from './manifests.ts';

/** Volumes that the restricted standard allows. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What keeps any pod of these manifests from being restricted, immutable, accounted for and without rights in the cluster. */
export function podProblems(manifests: readonly Manifest[]): string[] {
  const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
  const tokens = accounts.filter((account) => account['automountServiceAccountToken'] !== false);
  return [
    ...tokens.map(({ metadata }) => `${metadata.name}: its ServiceAccount hands out tokens of the cluster`),
    ...workloadsOf(manifests).flatMap((workload) =>
      [...podSpecProblems(workload), ...containerProblems(workload)].map((problem) => `${workload.name}: ${problem}`),
    ),
  ];
}

function podSpecProblems({ template }: Workload): string[] {
  const spec = template.spec;
  const security = spec?.securityContext;
  const volumes = (spec?.volumes ?? []).flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  return listed([
    [security?.runAsNonRoot === true, 'may run as root'],
    [(security?.runAsUser ?? 0) > 0 && (security?.runAsGroup ?? 0) > 0, 'names no user and group of its own'],
    [security?.seccompProfile?.type === 'RuntimeDefault', 'has no seccomp profile'],
    [spec?.automountServiceAccountToken === false, 'gets a token of the cluster'],
    [spec?.enableServiceLinks === false, 'gets variables of every Service'],
    [spec?.hostNetwork !== true && spec?.hostPID !== true && spec?.hostIPC !== true, 'uses the host'],
    [(spec?.initContainers ?? []).length === 0, 'waits in an init container: start, stay unready, retry'],
    [volumes.every((kind) => VOLUMES.includes(kind)), 'has a volume that the restricted standard refuses'],
  ]);
}

function containerProblems(workload: Workload): string[] {
  const container = containerOf(workload);
  const security = container.securityContext;
  const { requests = {}, limits = {} } = container.resources ?? {};
  const scratch = (workload.template.spec?.volumes ?? []).filter((volume) => volume.emptyDir !== undefined);
  const tag = /(?::(?<tag>[\w.-]+)|@sha256:[0-9a-f]{64})$/.exec(container.image ?? '');
  return listed([
    [security?.allowPrivilegeEscalation === false, 'may gain privileges'],
    [security?.readOnlyRootFilesystem === true, 'may write to its image'],
    [JSON.stringify(security?.capabilities) === '{"drop":["ALL"]}', 'keeps capabilities'],
    [security?.privileged !== true, 'is privileged'],
    [tag !== null && tag.groups?.['tag'] !== 'latest', 'has an image without a version'],
    [requests['cpu'] !== undefined, 'asks for no CPU'],
    [requests['memory'] !== undefined && requests['memory'] === limits['memory'], 'memory asked for is not its limit'],
    [limits['ephemeral-storage'] !== undefined, 'may fill the disk of its node'],
    [scratch.every((volume) => volume.emptyDir?.sizeLimit !== undefined), 'has a volume without a size'],
    [(container.ports ?? []).every((port) => port.hostPort === undefined), 'takes a port of the host'],
  ]);
}

/** The sentences whose condition does not hold. */
export function listed(conditions: readonly (readonly [boolean, string])[]): string[] {
  return conditions.filter(([holds]) => !holds).map(([, problem]) => problem);
}
