const METRIC = /^process_cpu_seconds_total(?:\{[^}]*\})? ([\d.e+-]+)/m;

/** CPU seconds that a process has used, as it says itself in Prometheus' form. */
export async function cpuSecondsOf(metricsUrl: string): Promise<number> {
  const response = await fetch(metricsUrl, { signal: AbortSignal.timeout(5_000) });
  const [, seconds] = METRIC.exec(await response.text()) ?? [];
  if (seconds === undefined) throw new Error(`${metricsUrl} does not say how much CPU it has used`);
  return Number(seconds);
}

/** The share of one CPU that a process uses between two looks. */
export function createCpuWatch(metricsUrl: string): { look(): Promise<void>; readonly share: number } {
  const looks: { readonly atMs: number; readonly cpuSeconds: number }[] = [];
  return {
    look: async () => {
      const cpuSeconds = await cpuSecondsOf(metricsUrl);
      looks.push({ atMs: performance.now(), cpuSeconds });
    },
    get share() {
      const [first, last] = [looks.at(0), looks.at(-1)];
      if (first === undefined || last === undefined || first === last) return 0;
      return ((last.cpuSeconds - first.cpuSeconds) * 1_000) / (last.atMs - first.atMs);
    },
  };
}
