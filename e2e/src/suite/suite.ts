/** One check that failed: its name, and what is needed to understand it without a second run. */
export type Failure = { readonly name: string; readonly why: readonly string[] };

/** How many checks of a step passed and failed, and which failed. */
export type Count = { readonly passed: number; readonly failed: number; readonly failures: readonly Failure[] };

/** One part of the suite. It reports progress while it works; when it throws, it counts as one failure. */
export type Step = {
  readonly name: string;
  readonly run: (report: (line: string) => void) => Promise<Count>;
};

/** Steps of a phase run side by side; an array inside it is a lane of steps that run one after another. */
export type Phase = readonly (Step | readonly Step[])[];

/** Lines told of one failure at the end: a difference of two long texts would push away the others. */
const MOST_LINES = 60;
const NOTHING: Count = { passed: 0, failed: 0, failures: [] };

/** Runs phases one after another and adds up what their steps counted. Nothing is skipped because something else failed. */
export async function runSuite(phases: readonly Phase[], print: (line: string) => void): Promise<Count> {
  let total = NOTHING;
  for (const phase of phases) {
    const lanes = phase.map((lane) => runLane('run' in lane ? [lane] : lane, print));
    for (const count of await Promise.all(lanes)) total = add(total, count);
  }
  return total;
}

async function runLane(steps: readonly Step[], print: (line: string) => void): Promise<Count> {
  let total = NOTHING;
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
    return { ...count, failures: count.failures.map((one) => ({ ...one, name: `${step.name}: ${one.name}` })) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    print(`✖ ${step.name}: ${why} (${seconds()})`);
    return { passed: 0, failed: 1, failures: [{ name: step.name, why: [why] }] };
  }
}

/**
 * The end of a run's output: what failed, once more and together, because a log of thousands of lines is read from its end,
 * and often only its end is kept. Then the line `N passed, N failed`.
 */
export function ending(total: Count): string {
  const told = total.failures.map(({ name, why }) => `✖ ${name}\n${indented(why.join('\n'))}\n`);
  const failed = told.length === 0 ? '' : `what failed:\n${told.join('')}\n`;
  return `\n${failed}${total.passed} passed, ${total.failed} failed\n`;
}

function indented(text: string): string {
  const lines = text.split('\n');
  const more = lines.length > MOST_LINES ? [`... and ${lines.length - MOST_LINES} lines more`] : [];
  return [...lines.slice(0, MOST_LINES), ...more].map((line) => `    ${line}`).join('\n');
}

function add(one: Count, other: Count): Count {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    failures: [...one.failures, ...other.failures],
  };
}
