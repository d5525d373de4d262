import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { kubernetesPath } from './manifests.ts';

/** One alert of the component `monitoring`. */
export type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** What an alert is held against. */
export type Watched = {
  /** Metrics that the services register. */
  readonly metrics: ReadonlySet<string>;
  /** Headings of the runbook, as anchors. */
  readonly anchors: ReadonlySet<string>;
};

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where metrics are made: `name: '...'`, or the first of a row. */
const METRIC = /(?:\bname: |\[)'([a-z]+(?:_[a-z]+)+)'/g;

/** The text of the rules, as it is delivered. */
export function readAlertsFile(): Promise<string> {
  return readFile(kubernetesPath('components/monitoring/alerts.yaml'), 'utf8');
}

/** The alerts in the text of a PrometheusRule. */
export function alertsIn(text: string): Alert[] {
  const rule = parse(text) as { readonly spec: { readonly groups: readonly { readonly rules: readonly Alert[] }[] } }; // a file of ours
  return rule.spec.groups.flatMap(({ rules }) => rules);
}

/** The text of the runbook. */
export function readRunbook(): Promise<string> {
  return readFile(`${ROOT}docs/alerts.md`, 'utf8');
}

/** The headings of a Markdown text, as GitHub makes anchors of them. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The metrics that services register, out of the sources that do: nothing may import a service. */
export async function registeredMetrics(): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const file of glob(['services/*/src/**/*.ts', 'packages/runtime/src/*.ts'], { cwd: ROOT })) {
    if (file.endsWith('.test.ts')) continue;
    const source = await readFile(`${ROOT}${file}`, 'utf8');
    if (!/\b(?:createCounter|createGauge|createHistogram|new Counter|new Gauge)\(/.test(source)) continue;
    for (const [, name = ''] of source.matchAll(METRIC)) names.add(name);
  }
  return names;
}
