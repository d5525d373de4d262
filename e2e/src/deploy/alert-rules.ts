import type { ICronJob } from 'kubernetes-models/batch/v1';
import type { Alert, Watched } from './alerts.ts';
import { workloadsOf, type Manifest } from './manifests.ts';
import { listed } from './pod-rules.ts';
import { readExpression, type Selector } from './promql.ts';

/** What kube-state-metrics tells of a CronJob, and nothing else of ours can: the job is over before it is scraped. */
const LAST_SUCCESS = 'kube_cronjob_status_last_successful_time';
const CREATED = 'kube_cronjob_created';
const EVERY_SECONDS = 300;

/** What keeps an alert from firing when it should, from staying silent when it should, or from telling what to do. */
export function alertProblems(alerts: readonly Alert[], manifests: readonly Manifest[], watched: Watched): string[] {
  const names = alerts.map(({ alert }) => alert);
  const twice = names.filter((name, at) => names.indexOf(name) !== at).map((name) => `${name}: is there twice`);
  return [
    ...twice,
    ...alerts.flatMap((alert) => problemsOf(alert, manifests, watched).map((problem) => `${alert.alert}: ${problem}`)),
    ...cronJobsIn(manifests).flatMap((job) => unwatched(job, alerts)),
  ];
}

function problemsOf(
  { alert, expr, labels, annotations }: Alert,
  manifests: readonly Manifest[],
  watched: Watched,
): string[] {
  const { isValid, selectors } = readExpression(expr);
  const namespace = manifests.find(({ kind }) => kind === 'Namespace')?.metadata.name;
  const anchor = alert.toLowerCase();
  const told = Object.values(annotations ?? {}).flatMap((text) => [...text.matchAll(/\$labels\.(\w+)/g)]);
  return listed([
    [/^CallPipeline[A-Z]\w+$/.test(alert), 'is not named as ours'],
    [isValid, 'is no expression of Prometheus'],
    [['warning', 'critical'].includes(labels?.['severity'] ?? ''), 'has no severity that anybody routes by'],
    [(annotations?.['summary'] ?? '') !== '', 'says nothing'],
    [annotations?.['runbook'] === `docs/alerts.md#${anchor}` && watched.anchors.has(anchor), 'leads to no runbook'],
    [told.every(([, label = '']) => expr.includes(label)), 'tells a label that its expression does not have'],
    [selectors.length > 0 && selectors.every(({ metric }) => isKnown(metric, watched)), 'reads what nobody measures'],
    [selectors.every((one) => valueOf(one, 'namespace') === namespace), 'looks into another namespace'],
    [selectors.flatMap(jobsOf).every((job) => isScheduled(job, manifests)), 'watches a job that is not there'],
  ]);
}

function isKnown(metric: string, { metrics }: Watched): boolean {
  return metric === LAST_SUCCESS || metric === CREATED || metrics.has(metric);
}

/** Every job on a schedule: late is told after two lost runs and not after one, and so is that nobody knows of it. */
function unwatched({ metadata, spec }: Manifest & ICronJob, alerts: readonly Alert[]): string[] {
  const expressions = alerts.map(({ expr }) => ({ expr, ...readExpression(expr) }));
  const of = (metric: string) =>
    expressions.filter(({ selectors }) =>
      selectors.some((one) => one.metric === metric && jobsOf(one).includes(metadata.name)),
    );
  const lateAfter = Math.min(...of(LAST_SUCCESS).flatMap(({ numbers }) => numbers));
  const oneLost = 2 * EVERY_SECONDS + (spec?.jobTemplate.spec?.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY);
  const hasNeverEnded = of(LAST_SUCCESS).every((late) => of(CREATED).includes(late));
  return listed([
    [Number.isFinite(lateAfter), `nobody hears when ${metadata.name} does not end well`],
    [lateAfter > oneLost, `${metadata.name} alarms after one lost run`],
    [lateAfter <= 4 * EVERY_SECONDS, `${metadata.name} may be lost for long before anybody hears`],
    [hasNeverEnded, `${metadata.name} may never have ended well, and nobody hears`],
    [of(CREATED).some(({ expr }) => expr.includes('absent(')), `${metadata.name} may be gone, and nobody hears`],
  ]);
}

function cronJobsIn(manifests: readonly Manifest[]): (Manifest & ICronJob)[] {
  // Its types are checked by `typeProblems`.
  return manifests.filter(({ kind }) => kind === 'CronJob') as unknown as (Manifest & ICronJob)[];
}

function isScheduled(job: string, manifests: readonly Manifest[]): boolean {
  return workloadsOf(manifests).some(({ kind, name }) => kind === 'CronJob' && name === job);
}

function jobsOf(selector: Selector): string[] {
  return valueOf(selector, 'cronjob')?.split('|') ?? [];
}

function valueOf({ matchers }: Selector, label: string): string | undefined {
  return matchers.find(([name]) => name === label)?.[2];
}
