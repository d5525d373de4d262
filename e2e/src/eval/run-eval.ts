import { randomBytes } from 'node:crypto';
import { ConfigError } from '@pipeline/runtime';
import { RetryLaterError } from '@pipeline/contracts';
import { startAiProvider } from '@pipeline/sandbox';
import { loadCases, loadOwnCases, SetError, type CaseSet } from './cases.ts';
import { evaluate } from './evaluate.ts';
import { modelsOf, type Models } from './models.ts';
import { HELP, readOptions, type EvalOptions } from './options.ts';
import { reportOf, reportText, type EvalReport } from './report.ts';
import { createStages } from './stages.ts';

export type EvalWorld = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  /** Progress and problems: standard output is the report alone. */
  err(text: string): void;
};

/** The command `pnpm eval`. Answers with its exit code. */
export async function runEval(args: readonly string[], world: EvalWorld, signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') return refuse(`${options}\n\n${HELP}`, world);
  if (options.help) return (world.out(HELP), 0);
  try {
    const models = modelsOf(world.environment);
    const set = options.set === undefined ? await loadOwnCases() : await loadCases(options.set);
    return await measure(set, models, options, world, signal);
  } catch (error) {
    if (error instanceof SetError || error instanceof ConfigError) return refuse(`${error.message}\n`, world);
    if (!(error instanceof RetryLaterError)) throw error;
    const reason =
      error.pause === undefined ? error.message : `the provider rejects the ${error.pause}: ${error.message}`;
    world.err(`nothing measured: ${reason}\n`);
    return 1;
  }
}

async function measure(
  set: CaseSet,
  given: Models | undefined,
  options: EvalOptions,
  world: EvalWorld,
  signal: AbortSignal,
): Promise<number> {
  const sandbox = given === undefined ? await startSandbox(set) : undefined;
  const models = given ?? sandbox?.models;
  if (models === undefined) throw new Error('there is a model or a sandbox');
  world.err(
    `${set.cases.length} dialogues, summary by ${models.summary.model}, fields by ${models.extraction.model} at ${sandbox ? 'the sandbox' : models.extraction.baseUrl}\n`,
  );
  try {
    const evaluated = await evaluate(
      set.cases,
      createStages(models),
      {
        concurrency: options.concurrency,
        progress: (done, { dialogue }, fields, failure) => {
          const right = fields.filter(({ outcome }) => outcome === 'right' || outcome === 'rightly_nothing').length;
          world.err(`${done}/${set.cases.length} ${dialogue.id} ${right}/${fields.length} ${failure ?? ''}\n`);
        },
      },
      signal,
    );
    const report = reportOf(evaluated);
    world.out(options.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
    if (isAllFailed(report, set)) {
      world.err('nothing measured: every dialogue failed, so the provider or how it is asked is wrong\n');
      return 1;
    }
    const atLeast = options.atLeast ?? (sandbox && options.set === undefined ? 1 : 0);
    return Math.min(report.precision, report.recall) >= atLeast ? 0 : 1;
  } finally {
    await sandbox?.close();
  }
}

/** Dialogues without a word ask nobody, so they cannot fail. */
function isAllFailed({ failed }: EvalReport, { cases }: CaseSet): boolean {
  return failed.length > 0 && failed.length === cases.filter(({ dialogue }) => dialogue.turns.length > 0).length;
}

async function startSandbox({ cases, rules }: CaseSet): Promise<{ readonly models: Models; close(): Promise<void> }> {
  const apiKey = `sk-${randomBytes(12).toString('hex')}`;
  const dialogues = cases.map(({ dialogue }) => dialogue);
  const provider = await startAiProvider({ dialogues, apiKey, ...(rules && { rules }) });
  const asking = { baseUrl: provider.url, apiKey, model: 'gpt-6-luna', timeoutMs: 60_000 };
  return {
    models: { summary: { ...asking, maxOutputTokens: 8_000 }, extraction: { ...asking, maxOutputTokens: 32_000 } },
    close: () => provider.close(),
  };
}

function refuse(text: string, world: EvalWorld): number {
  world.err(text);
  return 2;
}
