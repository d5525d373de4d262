import type { Dialogue } from '@pipeline/sandbox';
import { arrivedCall, deliveryTold } from '../stack/arrived.ts';
import { startStack, type Stack } from '../stack/stack.ts';
import type { StackOptions } from '../stack/options.ts';
import { createNarrator } from './narrator.ts';
import type { DemoOptions } from './options.ts';
import { showCall, showTable, type DemoResult } from './report.ts';
import type { Screen } from './screen.ts';

const PROGRESS_MS = 200;
const ARRIVES_MS = 180_000;

/** Runs the demo on a stack of its own and tells it on the screen. Resolves with the results; the stack is stopped in every case. */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  environment: StackOptions['environment'],
  signal: AbortSignal,
): Promise<DemoResult[]> {
  const { colors } = screen;
  const narrator = createNarrator(screen, options.calls === 1);
  screen.line(colors.bold('Perfect Call Pipeline') + colors.dim(': from hang-up to one signed webhook'));
  screen.line();
  screen.progress('starting NATS, MongoDB, the sandbox and five services');
  const stack = await startStack({
    ...(environment === undefined ? {} : { environment }),
    prefer: 'quick',
    report: (line) => screen.line(colors.dim(`  ${line}`)),
    onLine: (line) => narrator.onLine(line),
    signal,
  });
  const ticking = setInterval(() => narrator.showProgress(options.calls), PROGRESS_MS);
  try {
    signal.throwIfAborted();
    const results = await Promise.race([placeAll(stack, options, screen), whenAborted(signal)]);
    screen.settle();
    const [only] = results;
    if (results.length === 1 && only !== undefined) showCall(screen, only);
    else showTable(screen, results);
    return results;
  } finally {
    clearInterval(ticking);
    screen.progress('stopping everything');
    await stack.stop();
    screen.settle();
  }
}

async function placeAll(stack: Stack, options: DemoOptions, screen: Screen): Promise<DemoResult[]> {
  const chosen = choose(stack, options);
  screen.line();
  for (const dialogue of options.calls === 1 ? chosen : []) {
    screen.line(`☎  ${dialogue.from} calls ${dialogue.to} (dialogue ${dialogue.id}, ${options.speed} times real time)`);
    for (const turn of dialogue.turns) screen.line(screen.colors.dim(`   ${turn.speaker}: ${turn.text}`));
    screen.line();
  }
  if (options.calls > 1) screen.line(`☎  ${options.calls} calls at once, ${options.speed} times real time`);
  const calls = await Promise.all(
    chosen.map(async (dialogue) => ({ dialogue, call: await stack.placeCall(dialogue.id, { speed: options.speed }) })),
  );
  return Promise.all(
    calls.map(async ({ dialogue, call }) => {
      await call.ended;
      const arrived = await arrivedCall(stack, call.callSid, ARRIVES_MS);
      await deliveryTold(stack, call.callSid);
      return { ...arrived, dialogueId: dialogue.id };
    }),
  );
}

/** Rejects when the signal says so: whatever is waited for then, the stack is stopped. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(new Error('interrupted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** The one that was asked for, or the spoken dialogues of the language in turn. */
function choose({ dialogues, interruptions }: Stack, { calls, lang, dialogue }: DemoOptions): Dialogue[] {
  if (dialogue !== null) {
    const all = [...dialogues, ...interruptions];
    const asked = all.find((one) => one.id === dialogue);
    if (asked === undefined)
      throw new Error(`there is no dialogue ${dialogue}, only ${all.map(({ id }) => id).join(', ')}`);
    return Array.from({ length: calls }, () => asked);
  }
  const order = (one: Dialogue): number => (one.id === 'he-renovation' ? 0 : 1);
  const fitting = dialogues
    .filter((one) => one.turns.length > 0 && (lang === 'all' || one.language === lang))
    .toSorted((one, other) => order(one) - order(other));
  return Array.from({ length: calls }, (_, n) => fitting[n % fitting.length]).filter((one) => one !== undefined);
}
