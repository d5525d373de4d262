import { beforeAll, describe, expect, it } from 'vitest';
import { readBase, workloadsOf, type Manifest } from './manifests.ts';
import { networkProblems } from './network-rules.ts';
import { podProblems } from './pod-rules.ts';
import { scheduleProblems } from './schedule-rules.ts';
import { DEPLOYED } from './service-schemas.ts';
import { serviceProblems } from './service-rules.ts';

let base: Manifest[];

beforeAll(async () => {
  base = await readBase();
});

describe('the base', () => {
  it('has the five Deployments, the Job, the three on a schedule, the place of an operator, and nothing else that runs', () => {
    expect(workloadsOf(base).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Job provision',
      ...DEPLOYED.map((service) => `Deployment ${service}`),
      'CronJob reconciler',
      'CronJob trim',
      'CronJob sweep',
      'Deployment callctl',
    ]);
  });

  it('keeps the place of an operator switched off', () => {
    const callctl = base.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'callctl');
    expect(callctl?.['spec']).toMatchObject({ replicas: 0 });
  });

  it('runs restricted pods', () => {
    expect(podProblems(base)).toEqual([]);
  });

  it('starts, watches, spreads and drains every service', () => {
    expect(serviceProblems(base)).toEqual([]);
  });

  it('starts what is on a schedule often, one at a time, and ends it before the next', () => {
    expect(scheduleProblems(base)).toEqual([]);
  });

  it('is closed but for what each pod needs', () => {
    expect(networkProblems(base)).toEqual([]);
  });

  it('serves media-gateway alone: workers pull', () => {
    expect(base.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)).toEqual([
      'media-gateway',
    ]);
  });
});

describe('the rules see', () => {
  it.each<[string, string, string, (problems: Manifest[]) => string[]]>([
    ['a pod that may run as root', '"runAsNonRoot":true', '"runAsNonRoot":false', podProblems],
    ['root by number', '"runAsUser":65532', '"runAsUser":0', podProblems],
    ['a missing seccomp profile', '"RuntimeDefault"', '"Unconfined"', podProblems],
    ['a mounted token', '"automountServiceAccountToken":false', '"automountServiceAccountToken":true', podProblems],
    ['a writable image', '"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false', podProblems],
    ['kept capabilities', '"drop":["ALL"]', '"drop":["NET_RAW"]', podProblems],
    ['an image without a version', 'extractor:0.1.0', 'extractor:latest', podProblems],
    ['a volume of the host', '"emptyDir"', '"hostPath"', podProblems],
    ['more memory than was asked for', '"limits":{"memory":"384Mi"', '"limits":{"memory":"1Gi"', podProblems],
    ['a liveness that asks dependencies', '/health/live', '/health/ready', serviceProblems],
    ['a short grace', '"terminationGracePeriodSeconds":3660', '"terminationGracePeriodSeconds":3600', serviceProblems],
    [
      'a request that outlasts the shutdown',
      '"SUMMARY_TIMEOUT_MS":"120000"',
      '"SUMMARY_TIMEOUT_MS":"280000"',
      serviceProblems,
    ],
    ['a budget that stops drains', '"maxUnavailable":"25%"', '"maxUnavailable":0', serviceProblems],
    ['a rollout that loses pods', '"maxUnavailable":0', '"maxUnavailable":1', serviceProblems],
    ['pods on one host', '"kubernetes.io/hostname"', '"rack"', serviceProblems],
    ['a volume that is too small', '"sizeLimit":"2112Mi"', '"sizeLimit":"512Mi"', serviceProblems],
    ['health at another port', '"HEALTH_PORT":"9464"', '"HEALTH_PORT":"9465"', serviceProblems],
    [
      'a policy for nobody',
      '"call-pipeline/calls-out":"webhooks"',
      '"call-pipeline/calls-out":"nobody"',
      networkProblems,
    ],
    [
      'a pod that cannot reach its broker',
      '"call-pipeline/uses-nats":"true"',
      '"call-pipeline/uses-nats":"no"',
      networkProblems,
    ],
    ['a namespace that allows more', '/enforce":"restricted"', '/enforce":"baseline"', networkProblems],
    ['a Service that leads nowhere', '"targetPort":"http"', '"targetPort":"web"', networkProblems],
    ['two runs at once', '"concurrencyPolicy":"Forbid"', '"concurrencyPolicy":"Allow"', scheduleProblems],
    ['a run into the next', '"activeDeadlineSeconds":285', '"activeDeadlineSeconds":600', scheduleProblems],
    ['a run that is cut', '"RUN_TIMEOUT_MS":"240000"', '"RUN_TIMEOUT_MS":"280000"', scheduleProblems],
    ['a schedule of hours', '"schedule":"*/5 * * * *"', '"schedule":"7 * * * *"', scheduleProblems],
    ['a missed start that is lost', '"startingDeadlineSeconds":120', '"startingDeadlineSeconds":5', scheduleProblems],
    ['a loop on a schedule', '"RECONCILE_EVERY_MS":"0"', '"RECONCILE_EVERY_MS":"5000"', scheduleProblems],
    ['an open namespace', '"policyTypes":["Ingress","Egress"]', '"policyTypes":["Ingress"]', networkProblems],
  ])('%s', (_what, from, to, rule) => {
    const place = base.findIndex((manifest) => JSON.stringify(manifest).includes(from));
    expect(place, `nothing to break: ${from}`).toBeGreaterThanOrEqual(0);
    expect(rule(base.with(place, broken(base[place], from, to)))).not.toEqual([]);
  });
});

function broken(manifest: Manifest | undefined, from: string, to: string): Manifest {
  return JSON.parse(JSON.stringify(manifest).replaceAll(from, to)) as Manifest; // what was a manifest
}
