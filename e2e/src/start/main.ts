import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createNarrator } from '../demo/narrator.ts';
import { createScreen } from '../demo/screen.ts';
import { readArguments } from '../stack/arguments.ts';
import { PROGRAMS } from '../stack/environment.ts';
import { startStack } from '../stack/stack.ts';
import { takeOrders } from './orders.ts';

const HELP = `npm start

Starts NATS, MongoDB, a telephone, an AI provider, a webhook receiver, the five services and the reconciler, keeps them up, and
places a call whenever you ask for one. What is stored stays in .data/ for the next start. Ctrl-C stops all of it.
`;

readArguments({ help: { type: 'boolean' } }, HELP);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort(new Error(signal)));

const screen = createScreen(process.stdout, process.env);
const narrator = createNarrator(screen, true);
const dataDir = fileURLToPath(new URL('../../../.data', import.meta.url));
await mkdir(dataDir, { recursive: true });
try {
  const stack = await startStack({
    environment: { ...process.env },
    prefer: 'quick',
    dataDir,
    services: PROGRAMS,
    report: (line) => screen.line(screen.colors.dim(`  ${line}`)),
    onLine: (line) => narrator.onLine(line),
    signal: stopping.signal,
  });
  await takeOrders(stack, screen, process.stdin, stopping.signal);
  screen.line('stopping: services first, servers last ...');
  await stack.stop();
  screen.line('stopped. Nothing is left running.');
  process.exit(0);
} catch (error) {
  if (stopping.signal.aborted) {
    screen.line('stopped. Nothing is left running.');
    process.exit(130);
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
