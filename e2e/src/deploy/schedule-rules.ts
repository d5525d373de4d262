import type { ICronJob } from 'kubernetes-models/batch/v1';
import { environmentOf, textsOf } from './environment.ts';
import { workloadsOf, type Manifest, type Workload } from './manifests.ts';
import { listed } from './pod-rules.ts';

/** Kubernetes looks at schedules every ten seconds: a shorter patience than that never starts anything. */
const LEAST_PATIENCE_SECONDS = 10;
const EVERY_SECONDS = 300;

/** What keeps a job on a schedule from being started every five minutes, one at a time, and from ending before the next. */
export function scheduleProblems(manifests: readonly Manifest[]): string[] {
  return workloadsOf(manifests)
    .filter(({ kind }) => kind === 'CronJob')
    .flatMap((workload) => problemsOf(workload, manifests).map((problem) => `${workload.name}: ${problem}`));
}

function problemsOf(workload: Workload, manifests: readonly Manifest[]): string[] {
  const { spec } = workload.manifest as unknown as ICronJob; // its types are checked by `typeProblems`
  const job = spec?.jobTemplate.spec;
  const pod = workload.template.spec;
  const {
    RUN_TIMEOUT_MS = '0',
    SHUTDOWN_GRACE_MS = '0',
    RECONCILE_EVERY_MS = '0',
  } = textsOf(environmentOf(workload, manifests));
  const deadline = job?.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY;
  const endsByItself = (Number(RUN_TIMEOUT_MS) + Number(SHUTDOWN_GRACE_MS)) / 1_000;
  return listed([
    [/^(\*|\d+-59)\/5 \* \* \* \*$/.test(spec?.schedule ?? ''), 'does not start every five minutes'],
    [spec?.concurrencyPolicy === 'Forbid', 'may run twice at once'],
    [(spec?.startingDeadlineSeconds ?? 0) > LEAST_PATIENCE_SECONDS, 'is not started when its moment was missed'],
    [deadline < EVERY_SECONDS, 'may run into its next start'],
    [endsByItself < deadline, 'is killed before it gives up by itself'],
    [Number(SHUTDOWN_GRACE_MS) < (pod?.terminationGracePeriodSeconds ?? 0) * 1_000, 'is killed while it shuts down'],
    [job?.backoffLimit === 0 && pod?.restartPolicy === 'Never', 'is repeated by more than its schedule'],
    [job?.ttlSecondsAfterFinished !== undefined, 'leaves its pods for ever'],
    [RECONCILE_EVERY_MS === '0', 'does not end by itself'],
  ]);
}
