/** How many checks of a step passed and failed. */
export type Count = { readonly passed: number; readonly failed: number };

/** One part of the suite. It reports progress while it works; when it throws, it counts as one failure. */
export type Step = {
  readonly name: string;
  readonly run: (report: (line: string) => void) => Promise<Count>;
};

/** Steps of a phase run side by side; an array inside it is a lane of steps that run one after another. */
export type Phase = readonly (Step | readonly Step[])[];

/** Runs phases one after another and adds up what their steps counted. Nothing is skipped because something else failed. */
export async function runSuite(phases: readonly Phase[], print: (line: string) => void): Promise<Count> {
  let total: Count = { passed: 0, failed: 0 };
  for (const phase of phases) {
    const lanes = phase.map((lane) => runLane('run' in lane ? [lane] : lane, print));
    for (const count of await Promise.all(lanes)) total = add(total, count);
  }
  return total;
}

async function runLane(steps: readonly Step[], print: (line: string) => void): Promise<Count> {
  let total: Count = { passed: 0, failed: 0 };
  for (const step of steps) total = add(total, await runStep(step, print));
  return total;
}

async function runStep(step: Step, print: (line: string) => void): Promise<Count> {
  const begun = performance.now();
  const seconds = (): string => `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
  print(`▶ ${step.name}`);
  try {
    const count = await step.run((line) => print(`  ${step.name}: ${line}`));
    print(
      `${count.failed === 0 ? '✔' : '✖'} ${step.name}: ${count.passed} passed, ${count.failed} failed (${seconds()})`,
    );
    return count;
  } catch (error) {
    print(`✖ ${step.name}: ${error instanceof Error ? error.message : String(error)} (${seconds()})`);
    return { passed: 0, failed: 1 };
  }
}

function add(one: Count, other: Count): Count {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed };
}
