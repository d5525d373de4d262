import { runDemo } from './demo.ts';
import { DEMO_HELP, parseDemoOptions, UsageError } from './options.ts';
import { createScreen } from './screen.ts';
import { silentScreen } from './silent-screen.ts';

const begun = performance.now();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(new Error(signal)));

const options = readOptions();
const screen = options.json ? silentScreen(process.stderr) : createScreen(process.stdout, process.env);
try {
  const results = await runDemo(options, screen, { ...process.env }, interrupted.signal);
  const valid = results.filter((one) => one.webhook.verified).length;
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  const counted =
    results.length === 1 ? 'One call, one CallLog, one webhook' : `${results.length} calls, CallLogs and webhooks`;
  const verdict = valid === results.length ? 'every signature valid' : `only ${valid} signatures valid`;
  if (options.json) process.stdout.write(`${JSON.stringify(results.map(forMachines))}\n`);
  screen.line();
  screen.line(screen.colors.green(`✔ ${counted}, ${verdict}, in ${seconds} s. Nothing is left running.`));
  process.exit(valid === options.calls ? 0 : 1);
} catch (error) {
  screen.settle();
  if (interrupted.signal.aborted) {
    screen.line('stopped. Nothing is left running.');
    process.exit(130);
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

function readOptions() {
  try {
    const parsed = parseDemoOptions(process.argv.slice(2));
    if (parsed !== null) return parsed;
    process.stdout.write(DEMO_HELP);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${DEMO_HELP}`);
    process.exit(2);
  }
}

function forMachines({ callSid, dialogueId, callLog, webhook, body }: Awaited<ReturnType<typeof runDemo>>[number]) {
  return { callSid, dialogueId, callLog, webhook: { id: webhook.webhookId, signatureValid: webhook.verified, body } };
}
