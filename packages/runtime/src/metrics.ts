import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Counts by one label whose values are few and our own (never a call, a business or what somebody sent). */
export function createCounter(
  registry: Registry,
  definition: { readonly name: string; readonly help: string; readonly label: string },
): (value: string) => void {
  const { name, help, label } = definition;
  const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
  return (value) => counter.inc({ [label]: value });
}

/** A number that is read when somebody asks for the metrics. */
export function createGauge(
  registry: Registry,
  definition: { readonly name: string; readonly help: string; readonly read: () => number },
): void {
  const { name, help, read } = definition;
  const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: (): void => gauge.set(read()) });
}

/** Observations in the unit that the name ends with, counted in `buckets`. */
export function createHistogram(
  registry: Registry,
  definition: { readonly name: string; readonly help: string; readonly buckets: readonly number[] },
): (value: number) => void {
  const { name, help, buckets } = definition;
  const histogram = new Histogram({ name, help, buckets: [...buckets], registers: [registry] });
  return (value) => histogram.observe(value);
}
