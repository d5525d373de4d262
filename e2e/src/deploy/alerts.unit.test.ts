import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { alertProblems } from './alert-rules.ts';
import { alertsIn, anchorsOf, readAlertsFile, readRunbook, registeredMetrics, type Watched } from './alerts.ts';
import { kubernetesPath, readBase, workloadsOf, type Manifest } from './manifests.ts';

let text: string;
let runbook: string;
let base: Manifest[];
let watched: Watched;

beforeAll(async () => {
  [text, runbook, base] = await Promise.all([readAlertsFile(), readRunbook(), readBase()]);
  watched = { metrics: await registeredMetrics(), anchors: anchorsOf(runbook) };
});

describe('the alerts', () => {
  it('read what is measured, fire after two lost runs of every job and not after one, and lead to what to do', () => {
    expect(alertProblems(alertsIn(text), base, watched)).toEqual([]);
  });

  it('are all in the runbook, and the runbook knows no others', () => {
    const headings = [...runbook.matchAll(/^#+ (CallPipeline\w+)$/gm)].map(([, name]) => name);
    expect(headings).toEqual(alertsIn(text).map(({ alert }) => alert));
  });
});

it('the runbook names every metric that a service has, and no other', () => {
  const named = [...runbook.matchAll(/^\| `([a-z]+(?:_[a-z]+)+)/gm)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual([...watched.metrics].toSorted());
});

it('Prometheus is led to the port where every service tells its metrics', async () => {
  const monitor = parse(await readFile(kubernetesPath('components/monitoring/scrape.yaml'), 'utf8')) as {
    readonly spec: {
      readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
      readonly podMetricsEndpoints: readonly { readonly port: string }[];
    };
  }; // a file of ours
  const { selector, podMetricsEndpoints } = monitor.spec;
  const scraped = workloadsOf(base).filter(({ template }) => {
    const hasLabels = Object.entries(selector.matchLabels).every(
      ([name, value]) => template.metadata?.labels?.[name] === value,
    );
    const ports = (template.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    return hasLabels && podMetricsEndpoints.every(({ port }) => ports.some(({ name }) => name === port));
  });
  expect(scraped.map(({ name }) => name)).toEqual([
    'media-gateway',
    'transcriber',
    'summarizer',
    'extractor',
    'webhook-dispatcher',
    'reconciler',
  ]);
});

describe('the rules for alerts see', () => {
  it.each<[string, string, string]>([
    ['an expression that is none', 'max by (namespace, stage, reason) (', 'max by (namespace, stage, reason ('],
    ['a metric that was renamed', 'stage_paused{', 'stage_is_paused{'],
    ['a namespace that is not ours', 'stage_paused{namespace="call-pipeline"}', 'stage_paused{namespace="calls"}'],
    ['a job that nobody watches', 'reconciler|trim|sweep', 'reconciler|trim'],
    ['a job that is not there', 'reconciler|trim|sweep', 'reconciler|trim|sweep|sweeper'],
    ['a job that may be gone', 'cronjob="sweep"', 'cronjob="trim"'],
    ['an alarm after one lost run', '> 900', '> 600'],
    ['an alarm that comes late', '> 900', '> 3600'],
    [
      'a job that never ended well',
      'kube_cronjob_created{namespace="call-pipeline",cronjob=~',
      'stage_paused{namespace="call-pipeline",cronjob=~',
    ],
    ['a severity that nobody routes by', 'severity: critical', 'severity: high'],
    ['a runbook that leads nowhere', 'alerts.md#callpipelinestagepaused', 'alerts.md#callpipelinepaused'],
    ['a label that is not there', '$labels.reason', '$labels.cause'],
    ['one name for two', 'alert: CallPipelineJobStopped', 'alert: CallPipelineJobLate'],
  ])('%s', (_what, from, to) => {
    expect(text, 'nothing to break').toContain(from);
    expect(alertProblems(alertsIn(text.replaceAll(from, to)), base, watched)).not.toEqual([]);
  });

  it('a job whose runs take longer than the alarm allows for', () => {
    const longer = JSON.parse(
      JSON.stringify(base).replace('"activeDeadlineSeconds":285', '"activeDeadlineSeconds":310'),
    ) as Manifest[]; // what were manifests
    expect(alertProblems(alertsIn(text), longer, watched)).toEqual(['reconciler alarms after one lost run']);
  });
});
